/** Nothing is given up for want of room: that would cost nothing. */
export const ROOM = { maxCalls: 4_000_000, maxBytes: 16 * 1024 ** 3 }
