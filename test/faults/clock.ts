/** Sets this process's clock: from now on `Date` is so many milliseconds off. Timers go on as before, as with a real one. */
export function setClock(offMs: number): void {
  globalThis.Date = class extends RealDate {
    constructor(...given: [] | ConstructorParameters<typeof Date>) {
      if (given.length === 0) super(RealDate.now() + offMs)
      else super(...given)
    }

    static override now(): number {
      return RealDate.now() + offMs
    }
  } as DateConstructor
}

const RealDate = Date
