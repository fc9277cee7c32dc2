// Loads the package inside of a test, where --check-leaks looks.
it('tracks an order', () => require('../runners/orders.cjs')(require('../runners/required.cjs')))
