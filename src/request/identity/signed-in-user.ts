import type { Reader } from '../../model/tracked-request.js'
import { isPromise } from '../../support/maybe.js'
import { markFactory } from '../reader-factory.js'
import { member, readId } from './id.js'

/** The members that may hold an account's id, the surest first. */
const USER_KEYS = ['id', 'sub', 'uid', '_id'] as const
const TOKEN_KEYS = ['sub'] as const
const CLERK_KEYS = ['userId'] as const
/** Auth0's suffix of a machine's subject. */
const MACHINE_SUBJECT = '@clients'

/**
 * Reads the user that authentication middleware has let in. It is the default for `userId`.
 *
 * It reads, in this order,
 * - `req.user`, in Koa `ctx.state.user` or `ctx.req.user`: the first of `id`, `sub`, `uid` and `_id` that is a string or
 *   a number (Passport, koa-passport, koa-jwt, Firebase by convention);
 * - `req.oidc.user.sub` if `req.oidc.isAuthenticated()` (express-openid-connect);
 * - `req.auth`: if it is a function, `userId` of its result (Clerk), else `payload.sub` (express-oauth2-jwt-bearer), else
 *   `sub` (express-jwt).
 *
 * It never reads an e-mail address or a user name from another key, credentials of basic authentication, or an object:
 * for a MongoDB `_id`, which is an `ObjectId`, write a reader. Machines are nobody: it skips tokens from a client
 * credentials grant (`gty`, a subject ending in `@clients` or equal to `client_id`, or `idtyp: 'app'`).
 *
 * Sources: Auth0, "Client Credentials Flow"; RFC 9068, section 2.2; Microsoft Entra, "Optional claims", `idtyp`.
 *
 * @example
 * const objectId: Reader<string> = (request) =>
 *   request.user instanceof Account ? request.user._id.toHexString() : undefined
 * createTracking({ settings, request: { userId: [signedInUser(), objectId] } })
 */
export function signedInUser(): Reader<string> {
  return function signedInUser(request) {
    const native = member(request, 'native')
    // Express middleware puts its members on Node's request, which is `ctx.req` in Koa.
    const nodeRequest = member(native, 'req')
    return (
      idOf(member(request, 'user'), USER_KEYS) ??
      idOf(member(nodeRequest, 'user'), USER_KEYS) ??
      fromTokens(native) ??
      fromTokens(nodeRequest)
    )
  }
}

markFactory(signedInUser, 'signedInUser()')

function fromTokens(owner: unknown): string | undefined {
  return fromOidc(member(owner, 'oidc')) ?? fromAuth(owner, member(owner, 'auth'))
}

function fromOidc(oidc: unknown): string | undefined {
  const authenticated = call(member(oidc, 'isAuthenticated'), oidc) === true
  return authenticated ? idOf(member(oidc, 'user'), TOKEN_KEYS) : undefined
}

function fromAuth(owner: unknown, auth: unknown): string | undefined {
  if (typeof auth === 'function') return idOf(call(auth, owner), CLERK_KEYS)
  return idOf(member(auth, 'payload'), TOKEN_KEYS) ?? idOf(auth, TOKEN_KEYS)
}

function idOf(account: unknown, keys: readonly string[]): string | undefined {
  if (isMachine(account)) return undefined
  for (const key of keys) {
    const id = readId(member(account, key))
    if (id === undefined) continue
    return key === 'sub' && isMachineSubject(account, id) ? undefined : id
  }
}

function isMachine(claims: unknown): boolean {
  return member(claims, 'gty') === 'client-credentials' || member(claims, 'idtyp') === 'app'
}

function isMachineSubject(claims: unknown, subject: string): boolean {
  return subject.endsWith(MACHINE_SUBJECT) || member(claims, 'client_id') === subject
}

/** Calls a function that middleware left. It does not wait for a promise, whose rejection must not end the process. */
function call(method: unknown, owner: unknown): unknown {
  if (typeof method !== 'function') return undefined
  try {
    const result: unknown = Reflect.apply(method, owner, [])
    if (isPromise(result)) result.then(undefined, () => undefined)
    return result
  } catch {
    return undefined
  }
}
