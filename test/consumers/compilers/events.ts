import type {} from 'reqtrack'

declare module 'reqtrack' {
  interface TrackEvents {
    'order complete': { id: string; total: number }
  }
}
