/** What the shop sells, in whole euros. */
export interface Product {
  readonly id: string
  readonly name: string
  readonly price: number
  readonly description: string
}

/** Who can sign in. The demo asks for no password. */
export interface Customer {
  readonly id: string
  readonly name: string
  readonly email: string
}

/** Whom customers order for. */
export interface Company {
  readonly id: string
  readonly name: string
  readonly plan: string
}

export const CURRENCY = 'EUR'

export const products: readonly Product[] = [
  { id: 'tent', name: 'Two-person tent', price: 349, description: 'Stands in a storm, fits in a pannier.' },
  {
    id: 'lantern',
    name: 'Candle lantern',
    price: 42,
    description: 'Eight hours of light that smells of wax.',
  },
  { id: 'mug', name: 'Enamel mug', price: 18, description: 'Chips with dignity. Goes on the fire.' },
  { id: 'map', name: 'Trail map', price: 12, description: 'Waterproof, and never out of battery.' },
]

export const customers: readonly Customer[] = [
  { id: 'ada', name: 'Ada Lovelace', email: 'ada@example.com' },
  { id: 'grace', name: 'Grace Hopper', email: 'grace@example.com' },
]

export const companies: readonly Company[] = [
  { id: 'engines', name: 'Analytical Engines', plan: 'team' },
  { id: 'compilers', name: 'Compilers & Sons', plan: 'enterprise' },
]

/** Finds by id, whatever a request sent as one. */
export function findById<T extends { readonly id: string }>(list: readonly T[], id: unknown): T | undefined {
  return list.find((item) => item.id === id)
}

/** A quantity as a request sent it: 1 where it sent none, `undefined` where it is none from 1 to 20. */
export function quantityOf(given: unknown): number | undefined {
  const quantity = given === undefined ? 1 : Number(given)
  return Number.isInteger(quantity) && quantity >= 1 && quantity <= 20 ? quantity : undefined
}
