import type { Rules } from 'reqtrack'

/** Looking around is measured with consent only; what a customer does is always tracked, and says what they chose. */
const needsConsent = { analytics: true }

/** Which Segment calls the shop's events make, by the two words of their names. */
export const mapping: Rules = {
  page: {
    view: {
      consent: needsConsent,
      settings: { page: { map: { category: 'data.category', name: 'data.title' } } },
      skip: true,
    },
  },
  product: {
    view: {
      consent: needsConsent,
      name: 'Product Viewed',
      data: {
        map: { product_id: 'data.id', name: 'data.name', price: 'data.price', currency: 'data.currency' },
      },
    },
  },
  order: {
    complete: {
      name: 'Order Completed',
      data: {
        map: {
          order_id: 'data.id',
          total: 'data.total',
          currency: 'data.currency',
          products: {
            loop: [
              'nested',
              { map: { product_id: 'data.id', price: 'data.price', quantity: 'data.quantity' } },
            ],
          },
        },
      },
    },
  },
  invoice: {
    send: {
      name: 'Invoice Sent',
      data: { map: { order_id: 'data.id', total: 'data.total', currency: 'data.currency' } },
    },
  },
  user: {
    login: {
      settings: {
        identify: {
          map: { userId: 'data.id', traits: { map: { name: 'data.name', email: 'data.email' } } },
        },
      },
      skip: true,
    },
    logout: { name: 'Signed Out' },
  },
}
