import { createPrivateKey, randomUUID, sign } from 'node:crypto'
import type { HTTPClient, HTTPClientRequest, HTTPFetchFn, OAuthSettings } from '@segment/analytics-node'
import { parsedRecord } from '../model/parsed-json.js'
import { performance } from '../support/clock.js'
import { isInstance } from '../support/instance.js'
import { type Answer, exchange } from './exchange.js'
import { messageOf } from './failure.js'

const AUTH_SERVER = 'https://oauth2.segment.io'
const SCOPE = 'tracking_api:write'
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const REQUEST_TIMEOUT_MS = 10_000
/** Seconds that a signed request for a token is valid: from a little earlier, since clocks differ. */
const VALID_BEFORE_S = 5
const VALID_AFTER_S = 55
/** Milliseconds between two tries to replace a token that is still valid. */
const REFRESH_PAUSE_MS = 10_000

/** There is no token. */
export class TokenError extends Error {
  /** Whether the OAuth server refuses the client: only a change of the settings or of the server helps. */
  readonly isRefusal: boolean
  readonly retryAfterMs: number | undefined

  constructor(message: string, isRefusal: boolean, retryAfterMs?: number) {
    super(`OAuth: ${message}`)
    this.isRefusal = isRefusal
    this.retryAfterMs = retryAfterMs
  }
}

interface Token {
  readonly header: string
  /** By the monotonic clock, as all times here. */
  readonly expiresAt: number
  refreshAt: number
}

/**
 * The access token of a source that asks for OAuth 2. The SDK has a manager of its own, which asks for a token again and
 * again while the OAuth server fails, once more with every batch. Here requests need a token when they are sent, share one
 * request for it, and fail with it, so that the gate paces both.
 *
 * Source: the SDK's token manager, for what is asked of the OAuth server.
 */
export class OAuthToken {
  readonly #settings: OAuthSettings
  readonly #custom: HTTPClient | HTTPFetchFn | undefined
  readonly #aborts = new Set<AbortController>()
  #token: Token | undefined
  #asking: Promise<Token> | undefined
  /** How far this clock is ahead of the OAuth server's, in milliseconds. */
  #skewMs = 0

  /** @param custom - The application's own HTTP client or `fetch`, unless the settings have one for tokens. */
  constructor(settings: OAuthSettings, custom: HTTPClient | HTTPFetchFn | undefined) {
    this.#settings = settings
    this.#custom = settings.httpClient ?? custom
  }

  /**
   * The `Authorization` header of a request.
   *
   * @throws TokenError where there is no token and none can be had.
   */
  async authorization(): Promise<string> {
    const now = performance.now()
    if (!this.#token || this.#token.expiresAt <= now) return (await this.#ask()).header
    const token = this.#token
    if (token.refreshAt <= now) {
      token.refreshAt = now + REFRESH_PAUSE_MS
      // A token that is still valid serves while the next one is asked for.
      this.#ask().catch(() => {})
    }
    return token.header
  }

  /** Segment has not accepted a token: the next request asks for another one. */
  drop(header: string | undefined): void {
    if (this.#token?.header === header) this.#token = undefined
  }

  /** Aborts the request for a token. */
  stop(reason: Error): void {
    for (const abort of this.#aborts) abort.abort(reason)
  }

  #ask(): Promise<Token> {
    this.#asking ??= this.#request().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #request(): Promise<Token> {
    const abort = new AbortController()
    this.#aborts.add(abort)
    try {
      this.#token = this.#read(await exchange(this.#custom, this.#signed(), abort))
      return this.#token
    } catch (error) {
      throw isInstance(error, TokenError) ? error : new TokenError(messageOf(error), false)
    } finally {
      this.#aborts.delete(abort)
    }
  }

  #read({ status, statusText, retryAfterMs, date, text }: Answer): Token {
    if (date !== undefined) this.#skewMs = Date.now() - date
    if (status !== 200) {
      const isRefusal = [400, 401, 403, 415].includes(status)
      throw new TokenError(`[${status}] ${statusText}`, isRefusal, retryAfterMs)
    }
    const token = parsedRecord(text)
    if (typeof token?.access_token !== 'string' || typeof token.expires_in !== 'number') {
      throw new TokenError('the server answered without an access_token and expires_in', false)
    }
    const now = performance.now()
    const lifeMs = token.expires_in * 1_000
    return { header: `Bearer ${token.access_token}`, expiresAt: now + lifeMs, refreshAt: now + lifeMs / 2 }
  }

  #signed(): HTTPClientRequest {
    const { authServer = AUTH_SERVER, scope = SCOPE } = this.#settings
    const body =
      `grant_type=client_credentials&client_assertion_type=${ASSERTION_TYPE}` +
      `&client_assertion=${this.#assertion(authServer)}&scope=${scope}`
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    return {
      method: 'POST',
      url: `${authServer}/token`,
      headers,
      body,
      httpRequestTimeout: REQUEST_TIMEOUT_MS,
    }
  }

  /** The JSON Web Token by which the client identifies itself. Source: RFC 7523, 2.2. */
  #assertion(authServer: string): string {
    const { clientId, clientKey, keyId } = this.#settings
    const now = Math.round((Date.now() - this.#skewMs) / 1_000)
    const claims = {
      iss: clientId,
      sub: clientId,
      aud: authServer,
      iat: now - VALID_BEFORE_S,
      exp: now + VALID_AFTER_S,
      jti: randomUUID(),
    }
    const content = `${encoded({ alg: 'RS256', kid: keyId, typ: 'JWT' })}.${encoded(claims)}`
    try {
      return `${content}.${sign('RSA-SHA256', Buffer.from(content), createPrivateKey(clientKey)).toString('base64url')}`
    } catch {
      throw new TokenError('settings.oauthSettings.clientKey is no private key in PEM form', true)
    }
  }
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
