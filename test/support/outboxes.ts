import type { OpenOutbox, Outbox, OutboxSession } from '../../src/index.js'

/** An outbox whose methods a test replaces when it is opened. */
export function changed(
  outbox: Outbox,
  change: (opened: OpenOutbox) => Partial<OpenOutbox>,
  before: () => Promise<void> = async () => {},
): Outbox {
  return {
    ...outbox,
    async open(session) {
      await before()
      const opened = await outbox.open(session)
      return Object.assign(opened, change(bound(opened)))
    },
  }
}

/** The methods of an open outbox as they are. */
function bound(opened: OpenOutbox): OpenOutbox {
  const { write, take, settle, setAside, erase, waiting, isThere, close, abandon } = opened
  return {
    write: write.bind(opened),
    take: take.bind(opened),
    settle: settle.bind(opened),
    setAside: setAside.bind(opened),
    erase: erase.bind(opened),
    ...(waiting && { waiting: waiting.bind(opened) }),
    ...(isThere && { isThere: isThere.bind(opened) }),
    close: close.bind(opened),
    ...(abandon && { abandon: abandon.bind(opened) }),
  }
}

/** A session of an outbox that is used without a delivery; what it is told is kept. */
export function session(changes: Partial<OutboxSession> = {}) {
  const said: string[] = []
  const told = { said, lost: 0, lostOfOthers: 0, relayed: 0 }
  const opened: OutboxSession = {
    writeKeyHash: '',
    sends: true,
    ready() {},
    troubled() {},
    owed: (calls) => calls,
    gone() {},
    trimmed() {},
    warn() {},
    problem(problem, _error, lost = 0) {
      said.push(problem)
      told.lostOfOthers += lost
    },
    lost(calls) {
      told.lost += calls
    },
    relayed(calls) {
      told.relayed += calls
    },
    robbed() {},
    evicted() {},
    ...changes,
  }
  return { session: opened, told }
}
