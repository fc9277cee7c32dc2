import type http from 'node:http'
import type { Agent, ClientRequest } from 'node:http'
import type https from 'node:https'
import type { HTTPClient, HTTPClientRequest, HTTPResponse } from '@segment/analytics-node'
import { clearTimeout, setTimeout } from '../support/clock.js'
import { nodeHttp, nodeHttps } from '../support/node-modules.js'
import { AnswerTooLong, MAX_ANSWER_BYTES } from './http-answer.js'

/**
 * Sends requests whose sockets do not keep the process alive, unlike those of `fetch`: an idle process would otherwise wait
 * for a hanging Segment until the request times out.
 *
 * It looks `http.request` up for each request, so that libraries that replace it in tests see the request.
 */
export class UnrefHttpClient implements HTTPClient {
  readonly #agents = new Map<typeof http | typeof https, Agent>()
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
    const { body, httpRequestTimeout } = sent
    return new Promise((resolve, reject) => {
      const request = this.#open(sent)
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
          if (text.length + chunk.length > MAX_ANSWER_BYTES) end(new AnswerTooLong())
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

  #open({ url, method, headers }: HTTPClientRequest): ClientRequest {
    const target = new URL(url)
    const protocol = target.protocol === 'https:' ? nodeHttps() : nodeHttp()
    return protocol.request(target, { method, headers, agent: this.#agentOf(protocol) })
  }

  #agentOf(protocol: typeof http | typeof https): Agent {
    const known = this.#agents.get(protocol)
    if (known) return known
    // Node sets this from HTTP_PROXY and NO_PROXY where NODE_USE_ENV_PROXY asks for it. Source: Node, "Built-in proxy support".
    const proxyEnv: unknown = Reflect.get(protocol.globalAgent, 'options')?.proxyEnv
    const agent = new protocol.Agent({ keepAlive: true, ...(proxyEnv ? { proxyEnv } : {}) })
    this.#agents.set(protocol, agent)
    return agent
  }
}
