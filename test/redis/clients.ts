import { onTestFinished } from 'vitest'
import { CLIENTS, type Client } from './libraries.js'

/** A client that ends with the test. */
export async function clientOf(url: string, library = 'redis 6'): Promise<Client> {
  const make = CLIENTS[library]
  if (!make) throw new Error(`there is no client ${library}`)
  const made = await make(url)
  onTestFinished(() => made.close())
  return made
}
