import { test } from 'tap'
import * as imported from '../runners/imported.mjs'
import orders from '../runners/orders.cjs'

test('an order is tracked', { timeout: 120_000 }, () => orders(imported))
