/** Lets a client wait for what a handler has come to, and a handler for what a client has done. */
export class Gate {
  readonly #opened = new Map<string, { readonly promise: Promise<void>; readonly open: () => void }>()

  /** Says that something has happened; for good. */
  open(name: string): void {
    this.#of(name).open()
  }

  /** Resolves when it has happened, also if it had before. */
  opened(name: string): Promise<void> {
    return this.#of(name).promise
  }

  #of(name: string) {
    const known = this.#opened.get(name)
    if (known) return known
    let open = () => {}
    const promise = new Promise<void>((resolve) => {
      open = resolve
    })
    const added = { promise, open }
    this.#opened.set(name, added)
    return added
  }
}
