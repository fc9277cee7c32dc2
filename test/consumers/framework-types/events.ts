// The events of the application: from here on, names and data are checked in all of its files.
declare module 'reqtrack' {
  interface TrackEvents {
    'order complete': { total: number; coupon?: string }
    'order refund': OrderRefund
    'session start': { method?: 'password' | 'passkey' }
    'Checkout Step Viewed': { step: number }
    'Checkout Step Completed': { step: number; method: string | null }
    Subscribed: { list: string }
  }
}

/** Of any type that can be tracked: what mappings see is the plain JSON that it becomes. */
export interface OrderRefund {
  at: Date
  amounts: ReadonlySet<number>
  reason: 'damaged' | 'late'
}
