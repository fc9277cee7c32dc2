import type { OpenOutbox, Outbox, StoredCall, TakenCall } from '../../src/index.js'

/** A method of an outbox as an application could write it: it is given the method that works. */
export type Change = (method: (...given: unknown[]) => unknown) => (...given: unknown[]) => unknown

/** An outbox that keeps calls in memory, some of whose methods are changed. */
export function memoryOutbox(change: (method: string) => Change | undefined): Outbox {
  const waiting: StoredCall[] = []
  let receipts = 0
  const handOut = (most: number): TakenCall[] =>
    waiting.splice(0, most).map((call) => ({ ...call, receipt: receipts++, isOwn: true }))
  const methods: OpenOutbox = {
    async write(calls, room) {
      waiting.push(...calls)
      return handOut(room)
    },
    take: async (most) => handOut(most),
    settle: async () => {},
    setAside: async () => {},
    erase: async () => ({ erased: 0, held: 0 }),
    isThere: async () => true,
    close: async () => {},
  }
  const opened: OpenOutbox = { ...methods }
  for (const [name, method] of Object.entries(methods)) {
    const changed = change(name)
    if (changed) Object.assign(opened, { [name]: changed(method) })
  }
  const open = async () => opened
  const outbox: Outbox = { limits: { commitInterval: 5, commitAt: 10, maxBytes: undefined }, open }
  const changedOpen = change('open')
  return changedOpen ? Object.assign(outbox, { open: changedOpen(open) }) : outbox
}
