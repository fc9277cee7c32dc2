import { Agent as HttpAgent, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import type { HTTPClient, HTTPClientRequest, HTTPResponse } from '@segment/analytics-node'

/** An answer of Segment's has some 20 bytes; one that never ends must not fill the memory. */
const MAX_ANSWER_BYTES = 64 * 1024

/**
 * Sends requests that do not keep the process alive, unlike those of `fetch`: a Segment that never answers would hold a
 * process that has nothing else to do for as long as a request may take.
 */
export class UnheldHttp implements HTTPClient {
  readonly #agents = {
    http: new HttpAgent({ keepAlive: true }),
    https: new HttpsAgent({ keepAlive: true }),
  }
  readonly #underWay = new Set<(reason: Error) => void>()

  /** Sends a request; redirects are not followed. Rejects if it fails, or is not answered in its time. */
  makeRequest(request: HTTPClientRequest): Promise<HTTPResponse> {
    return this.#send(request, true)
  }

  /** Ends every request that is under way: it rejects. */
  abort(reason: Error): void {
    for (const end of this.#underWay) end(reason)
  }

  #send(sent: HTTPClientRequest, again: boolean): Promise<HTTPResponse> {
    const { method, headers, body, httpRequestTimeout } = sent
    const url = new URL(sent.url)
    return new Promise((resolve, reject) => {
      const request =
        url.protocol === 'https:'
          ? requestHttps(url, { method, headers, agent: this.#agents.https })
          : requestHttp(url, { method, headers, agent: this.#agents.http })
      const end = (reason: Error) => request.destroy(reason)
      const timer = setTimeout(
        () => end(new Error(`timeout: there was no answer within ${httpRequestTimeout} ms`)),
        httpRequestTimeout,
      ).unref()
      this.#underWay.add(end)
      request.on('socket', (socket) => socket.unref())
      request.on('error', (error: NodeJS.ErrnoException) => {
        // The other side closed a kept connection just as it was used again: nothing has been sent.
        if (again && request.reusedSocket && error.code === 'ECONNRESET') resolve(this.#send(sent, false))
        else reject(error)
      })
      request.on('close', () => {
        clearTimeout(timer)
        this.#underWay.delete(end)
      })
      request.on('response', (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          if (text.length + chunk.length > MAX_ANSWER_BYTES) end(new Error('the answer was too long'))
          else text += chunk
        })
        response.on('error', reject)
        response.on('end', () => {
          const { statusCode: status = 0, statusMessage: statusText = '' } = response
          resolve({ status, statusText, headers: response.headers, text: () => Promise.resolve(text) })
        })
      })
      request.end(body)
    })
  }
}
