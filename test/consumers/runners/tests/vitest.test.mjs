import { expect, test } from 'vitest'
import * as imported from '../runners/imported.mjs'
import orders from '../runners/orders.cjs'

expect.extend(imported.trackingMatchers)

test('an order is tracked', () =>
  orders(imported, (recorded) => expect(recorded).toHaveTracked('Order Completed', { total: 42 })))
