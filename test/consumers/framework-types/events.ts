// The events of the application: from here on, names and data are checked in all of its files.
declare module 'reqtrack' {
  interface TrackEvents {
    'order complete': { total: number; coupon?: string }
    'session start': { method?: 'password' | 'passkey' }
  }
}

export {}
