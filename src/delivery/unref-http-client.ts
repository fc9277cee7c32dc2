import { Agent as HttpAgent, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import type { HTTPClient, HTTPClientRequest, HTTPResponse } from '@segment/analytics-node'

/** Segment answers with some 20 bytes; an endless answer must not fill the memory. */
const MAX_ANSWER_BYTES = 64 * 1024

/**
 * Sends requests whose sockets do not keep the process alive, unlike those of `fetch`: an idle process would otherwise wait
 * for a hanging Segment until the request times out.
 */
export class UnrefHttpClient implements HTTPClient {
  readonly #agents = {
    http: new HttpAgent({ keepAlive: true }),
    https: new HttpsAgent({ keepAlive: true }),
  }
  readonly #inFlight = new Set<(reason: Error) => void>()

  /** Sends a request without following redirects. Rejects if it fails or times out. */
  makeRequest(request: HTTPClientRequest): Promise<HTTPResponse> {
    return this.#send(request, true)
  }

  /** Aborts every request in flight: each rejects. */
  abort(reason: Error): void {
    for (const end of this.#inFlight) end(reason)
  }

  #send(sent: HTTPClientRequest, mayRepeat: boolean): Promise<HTTPResponse> {
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
      this.#inFlight.add(end)
      request.on('socket', (socket) => socket.unref())
      request.on('error', (error: NodeJS.ErrnoException) => {
        // The server closed an idle connection just as it was reused: nothing has been sent.
        if (mayRepeat && request.reusedSocket && error.code === 'ECONNRESET') resolve(this.#send(sent, false))
        else reject(error)
      })
      request.on('close', () => {
        clearTimeout(timer)
        this.#inFlight.delete(end)
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
