import type { CallStore } from './call-store.js'

/** What the file outbox knows a call by that it has handed out. */
export class StoreReceipt {
  readonly store: CallStore
  readonly number: number

  constructor(store: CallStore, number: number) {
    this.store = store
    this.number = number
  }
}
