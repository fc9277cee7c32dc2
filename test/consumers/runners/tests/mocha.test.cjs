const orders = require('../runners/orders.cjs')
const required = require('../runners/required.cjs')

it('tracks an order', () => orders(required))
