import type { OpenOutbox, Outbox, OutboxSession, StoredCall, TakenCall } from '../../src/index.js'

/** A row of the table. */
export interface Row {
  readonly id: number
  readonly call: StoredCall
  readonly writtenBy: object
  holder: object | undefined
}

/** A table that all processes share, as a database has one. */
export interface Table {
  rows: Row[]
  aside: StoredCall[]
  readonly sessions: Set<OutboxSession>
  next: number
}

export function emptyTable(): Table {
  return { rows: [], aside: [], sessions: new Set(), next: 1 }
}

/** The plainest outbox that keeps every promise but that of surviving its process. */
export function tableOutbox(table: Table): Outbox {
  return {
    limits: { commitInterval: 0, commitAt: 100, maxBytes: undefined },
    isShared: true,
    open: async (session) => new OpenTable(table, session),
  }
}

class OpenTable implements OpenOutbox {
  readonly #table: Table
  readonly #session: OutboxSession

  constructor(table: Table, session: OutboxSession) {
    this.#table = table
    this.#session = session
    table.sessions.add(session)
    if (this.#ours().length > 0) session.ready()
  }

  async write(calls: readonly StoredCall[], room: number): Promise<TakenCall[]> {
    for (const call of calls) {
      const id = this.#table.next++
      this.#table.rows.push({ id, call, writtenBy: this, holder: undefined })
    }
    const taken = await this.take(room)
    if (calls.length > taken.length) this.#tellOthers()
    return taken
  }

  async take(most: number): Promise<TakenCall[]> {
    const rows = this.#ours().filter(({ holder }) => holder === undefined)
    return rows.slice(0, most).map((row) => {
      row.holder = this
      return { ...row.call, receipt: row.id, isOwn: row.writtenBy === this }
    })
  }

  async settle(receipts: readonly unknown[]): Promise<void> {
    this.#table.rows = this.#table.rows.filter(({ id }) => !receipts.includes(id))
  }

  async setAside(call: StoredCall): Promise<void> {
    this.#table.aside.push(call)
  }

  async erase({ userId, anonymousId }: Parameters<OpenOutbox['erase']>[0]) {
    const isTheirs = ({ text }: StoredCall) => {
      const params = JSON.parse(text)
      return (
        (userId !== undefined && params.userId === userId) ||
        (anonymousId !== undefined && params.anonymousId === anonymousId)
      )
    }
    const rows = this.#ours().filter(({ call }) => isTheirs(call))
    const gone = rows.filter(({ holder }) => holder === undefined)
    const aside = this.#table.aside.filter(isTheirs)
    this.#table.rows = this.#table.rows.filter((row) => !gone.includes(row))
    this.#table.aside = this.#table.aside.filter((call) => !aside.includes(call))
    return { erased: gone.length + aside.length, held: rows.length - gone.length }
  }

  async close(): Promise<void> {
    for (const row of this.#table.rows) if (row.holder === this) row.holder = undefined
    this.#table.sessions.delete(this.#session)
    this.#tellOthers()
  }

  #ours(): Row[] {
    return this.#table.rows.filter(({ call }) => call.writeKeyHash === this.#session.writeKeyHash)
  }

  #tellOthers(): void {
    for (const session of this.#table.sessions) if (session !== this.#session) session.ready()
  }
}
