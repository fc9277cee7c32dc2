const orders = require('../runners/orders.cjs')
const required = require('../runners/required.cjs')

expect.extend(required.trackingMatchers)

test('an order is tracked', () =>
  orders(required, (recorded) => expect(recorded).toHaveTracked('Order Completed', { total: 42 })))
