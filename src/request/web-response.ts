import type { OutgoingResponse } from './response-head.js'

/**
 * Stands for the response of a web-standard handler, which does not exist before the handler has settled: it keeps the
 * cookies that are to be set, and adds them then.
 */
export class WebResponse implements OutgoingResponse {
  headersSent = false
  statusCode = 200
  #cookies: readonly string[] = []
  #answer: Response | undefined

  getHeader(name: string): string | string[] | undefined {
    if (name.toLowerCase() === 'set-cookie') return this.#cookies.length > 0 ? [...this.#cookies] : undefined
    return this.#answer?.headers.get(name) ?? undefined
  }

  setHeader(_name: 'Set-Cookie', cookies: readonly string[]): void {
    this.#cookies = cookies
  }

  removeHeader(_name: 'Set-Cookie'): void {
    this.#cookies = []
  }

  /** Is replaced by whoever has something to do before the head goes out. */
  writeHead(status: number): void {
    this.statusCode = status
  }

  /**
   * The handler has answered, and the head goes out.
   *
   * @returns The answer itself, with a created cookie where there is one. Headers that cannot be changed, as those of a
   * redirect or of what `fetch` gave, are the one reason for a copy.
   */
  answered(answer: Response): Response {
    this.statusCode = answer.status
    if (!Object.hasOwn(this, 'writeHead')) {
      this.headersSent = true
      return answer
    }
    this.#answer = answer
    const own = answer.headers.getSetCookie()
    this.#cookies = own
    this.writeHead(answer.status)
    this.headersSent = true
    this.#answer = undefined
    return withCookies(answer, this.#cookies.slice(own.length))
  }
}

function withCookies(answer: Response, cookies: readonly string[]): Response {
  if (cookies.length === 0) return answer
  try {
    return append(answer, cookies)
  } catch {
    return append(new Response(answer.body, answer), cookies)
  }
}

function append(answer: Response, cookies: readonly string[]): Response {
  for (const cookie of cookies) answer.headers.append('Set-Cookie', cookie)
  return answer
}
