type Method = (...given: unknown[]) => unknown

/** An object, such as a client, of which what a method gives is changed. */
export function changedMethod<T extends object>(
  object: T,
  name: string,
  change: (made: unknown) => unknown,
): T {
  return new Proxy(object, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target)
      if (typeof member !== 'function') return member
      const call: Method = (...given) => Reflect.apply(member, target, given)
      return key === name ? (...given: unknown[]) => change(call(...given)) : call
    },
  })
}

/** A client whose further connections end later than they are told to, as they do over a network. */
export function lateToClose<T extends { duplicate?(...given: never[]): unknown }>(client: T, ms: number): T {
  return changedMethod(client, 'duplicate', (own) => {
    const destroy: unknown = typeof own === 'object' && own !== null ? Reflect.get(own, 'destroy') : undefined
    if (typeof own !== 'object' || own === null || typeof destroy !== 'function')
      throw new Error('the client is not of redis')
    Reflect.set(own, 'destroy', () => void setTimeout(() => Reflect.apply(destroy, own, []), ms))
    return own
  })
}

/** A client that hears late of what it has removed: of a transaction of which every command tells how many it was. */
export function lateToRemove<T extends { multi(...given: never[]): unknown }>(client: T, ms: number): T {
  const late = async (answer: unknown) => {
    const replies: unknown = await answer
    const isRemoval = Array.isArray(replies) && replies.every((reply) => typeof reply === 'number')
    if (isRemoval) await new Promise((resolve) => setTimeout(resolve, ms))
    return replies
  }
  return changedMethod(client, 'multi', (transaction) =>
    changedMethod(transactionOf(transaction), 'exec', late),
  )
}

/** A transaction of the client of `redis`. */
interface Transaction {
  addCommand(command: string[]): unknown
  exec(): unknown
}

/** @throws If it is not of the client of `redis`. */
export function transactionOf(made: unknown): Transaction {
  if (isTransaction(made)) return made
  throw new Error('the client is not of redis')
}

function isTransaction(made: unknown): made is Transaction {
  return typeof made === 'object' && made !== null && 'addCommand' in made && 'exec' in made
}
