import { test } from 'node:test'
import * as imported from '../runners/imported.mjs'
import orders from '../runners/orders.cjs'
import required from '../runners/required.cjs'

test('imported', () => orders(imported))
test('required', () => orders(required))
