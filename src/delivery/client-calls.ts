import { memberOf } from '../support/member-of.js'
import { PropertyStore } from '../support/property-store.js'
import { FlushWaiters } from './flush-waiters.js'
import type { Unsettled } from './process-end.js'

/** What the SDK's client emits about a call: its context, as far as it is needed here. */
export interface SdkContext {
  readonly event: { readonly messageId?: string; readonly type?: string }
}

/** Whether something that the client emits is such a context. */
export function isContext(value: unknown): value is SdkContext {
  const event = memberOf(value, 'event')
  return typeof event === 'object' && event !== null
}

/** What the client reports of a failed call. */
export interface CallSummary {
  readonly type?: string
  readonly messageId?: string
  readonly userId?: string | null
  readonly anonymousId?: string | null
  readonly groupId?: string
}

/** Hears the outcome of every call. */
export interface OutcomeListener {
  delivered(messageId: string | undefined): void
  failed(call: CallSummary, reason: unknown): void
  /** A call that the application made on the client itself has failed. */
  directFailed?(call: CallSummary, reason: unknown): void
  /** A listener on the client's events has thrown. */
  listenerFailed?(event: string, error: unknown): void
}

/** A call that the client holds. */
export class ClientCall {
  /** The messageId that it was made with; a plugin may change that of its event. */
  readonly messageId: string
  /** The SDK's context of the call; `undefined` with a stand-in that emits none. */
  context: SdkContext | undefined
  /** Counts the calls that the application made on the client itself; `undefined` for the delivery's own. */
  readonly direct: number | undefined
  /** Whether a request has carried it. */
  isSent = false
  /** Whether Segment has accepted the request. */
  isAccepted = false
  /** How many checks in a row have found it where it was. */
  idleChecks = 0

  constructor(messageId: string, context: SdkContext | undefined, direct: number | undefined) {
    this.messageId = messageId
    this.context = context
    this.direct = direct
  }
}

/**
 * The calls that the client holds: the delivery's own, and those that the application made on the client itself. Each leaves
 * with its first outcome, and later reports of it are ignored.
 */
export class ClientCalls {
  readonly #listener: OutcomeListener
  readonly #unsettled: Unsettled | undefined
  readonly #calls = new Map<string, ClientCall>()
  readonly #ofContext = new PropertyStore(ClientCall)
  /** Calls by the messageId that a plugin has given them, which several may share. */
  readonly #renames = new Map<string, ClientCall[]>()
  readonly #direct = new Set<ClientCall>()
  readonly #waiters = new FlushWaiters()
  readonly #whenEmpty: (() => void)[] = []
  #directMade = 0
  #directFailed = 0
  #sent = 0
  /** Called when the client holds its first call. */
  onFirst: (() => void) | undefined
  /** Called when the client holds no call any more. */
  onEmpty: (() => void) | undefined
  /** Called when the last call of a request has its outcome. */
  onQuiet: (() => void) | undefined

  /** @param unsettled - Counts the calls that the application makes itself, until they have their outcome. */
  constructor(listener: OutcomeListener, unsettled?: Unsettled) {
    this.#listener = listener
    this.#unsettled = unsettled
  }

  /** How many calls the client holds. */
  get size(): number {
    return this.#calls.size
  }

  /** How many of them a request has carried. */
  get sent(): number {
    return this.#sent
  }

  /** How many of them the application made on the client itself. */
  get direct(): number {
    return this.#direct.size
  }

  /** Whether somebody waits for the outcome of such a call. */
  get isDirectAwaited(): boolean {
    return this.#waiters.upTo !== undefined
  }

  /** How many such calls have failed. */
  get directFailed(): number {
    return this.#directFailed
  }

  /** All of them, in the order in which they were made. */
  values(): IterableIterator<ClientCall> {
    return this.#calls.values()
  }

  /** The client has a new call. */
  begin(messageId: string, context: SdkContext | undefined, isDirect: boolean): ClientCall {
    const known = this.#calls.get(messageId)
    if (known && context && !known.context) {
      known.context = context
      this.#ofContext.set(context, known)
      return known
    }
    // Segment takes the second one for a repetition of the first.
    if (known && isDirect) return known
    if (known) this.#remove(known)
    const direct = isDirect ? ++this.#directMade : undefined
    const call = new ClientCall(messageId, context, direct)
    if (context) this.#ofContext.set(context, call)
    if (direct !== undefined) {
      this.#direct.add(call)
      this.#unsettled?.begin()
    }
    this.#calls.set(messageId, call)
    if (this.#calls.size === 1) this.onFirst?.()
    return call
  }

  /** Whether the client still holds a call. */
  holds(call: ClientCall): boolean {
    return this.#calls.get(call.messageId) === call
  }

  /** The SDK's event of a call that the client holds. */
  eventOf(messageId: string): object | undefined {
    return this.#calls.get(messageId)?.context?.event
  }

  /**
   * The call of an SDK context, also where a plugin has changed its messageId, or has put another context in its place.
   *
   * @returns `undefined` for a call that has its outcome already.
   */
  find(context: SdkContext): ClientCall | undefined {
    const known = this.#ofContext.get(context) ?? this.#calls.get(context.event.messageId ?? '')
    return known && this.#calls.get(known.messageId) === known ? known : undefined
  }

  /** A request carries calls. */
  carried(messageIds: readonly string[]): void {
    for (const id of messageIds) {
      const call = this.#calls.get(id) ?? this.#renamed(id)
      if (!call) continue
      call.idleChecks = 0
      if (call.isSent) continue
      call.isSent = true
      this.#sent++
    }
  }

  /** Segment has accepted a request with calls. */
  accepted(messageIds: readonly string[]): void {
    for (const id of messageIds) {
      const call = this.#calls.get(id)
      if (call) call.isAccepted = true
    }
  }

  /**
   * A request with calls has its outcome.
   *
   * @param error - Why Segment has not taken them; `undefined` if it has.
   */
  settled(messageIds: readonly string[], error: Error | undefined): void {
    for (const id of messageIds) {
      const call = this.#calls.get(id) ?? this.#renames.get(id)?.shift()
      if (!call) continue
      if (error) this.failed(call, error)
      else this.delivered(call)
    }
  }

  /** The client has thrown for a call: it does not hold it. */
  forget(messageId: string): void {
    const call = this.#calls.get(messageId)
    if (call) this.#remove(call)
  }

  /** Segment has taken the call. */
  delivered(call: ClientCall): void {
    if (!this.#remove(call)) return
    if (call.direct === undefined) this.#listener.delivered(call.messageId)
    this.#checkQuiet(call)
  }

  /** The call has failed. */
  failed(call: ClientCall, reason: unknown): void {
    if (!this.#remove(call)) return
    const summary = summaryOf(call)
    if (call.direct === undefined) this.#listener.failed(summary, reason)
    else {
      this.#directFailed++
      this.#listener.directFailed?.(summary, reason)
    }
    this.#checkQuiet(call)
  }

  /** Resolves when the client holds no call. */
  async empty(): Promise<void> {
    if (this.#calls.size === 0) return
    await new Promise<void>((resolve) => this.#whenEmpty.push(resolve))
  }

  /** Resolves when every earlier call that the application made itself has its outcome, or the time is over. */
  async directSettled(timeoutMs: number): Promise<void> {
    if (this.#direct.size > 0) await this.#waiters.wait(this.#directMade, timeoutMs)
  }

  /** Nobody waits any more for the calls that the application made itself. */
  abandonDirect(): void {
    for (const _call of this.#direct) this.#unsettled?.end()
    this.#direct.clear()
  }

  #remove(call: ClientCall): boolean {
    const isHeld = this.#calls.get(call.messageId) === call
    if (isHeld) this.#calls.delete(call.messageId)
    if (call.isSent && isHeld) this.#sent--
    if (this.#calls.size === 0) this.#emptied()
    if (!this.#direct.delete(call)) return isHeld
    this.#unsettled?.end()
    const [oldest] = this.#direct
    this.#waiters.settledBefore(oldest?.direct ?? Number.POSITIVE_INFINITY)
    return true
  }

  /** The call to which a plugin has given a messageId. */
  #renamed(messageId: string): ClientCall | undefined {
    for (const call of this.#calls.values()) {
      if (call.isSent || call.context?.event.messageId !== messageId) continue
      const others = this.#renames.get(messageId)
      if (others) others.push(call)
      else this.#renames.set(messageId, [call])
      return call
    }
    return undefined
  }

  #emptied(): void {
    this.#renames.clear()
    this.onEmpty?.()
    for (const resolve of this.#whenEmpty.splice(0)) resolve()
  }

  #checkQuiet({ isSent }: ClientCall): void {
    if (isSent && this.#sent === 0) this.onQuiet?.()
  }
}

/** The members of a call that its reporting needs. */
function summaryOf({ messageId, context }: ClientCall): CallSummary {
  const event: Readonly<Record<string, unknown>> = { ...context?.event }
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
  return {
    type: text(event.type),
    messageId,
    userId: text(event.userId),
    anonymousId: text(event.anonymousId),
    groupId: text(event.groupId),
  }
}
