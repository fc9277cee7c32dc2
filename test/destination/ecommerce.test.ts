import { describe, expect, it } from 'vitest'
import { type Rules, segmentEcommerce } from '../../src/index.js'
import { requestsOf, segmentServer, trackingTo, visitor } from '../support/servers.js'

const PRODUCT = 'product_id sku category name brand variant price quantity coupon position url image_url'
const ORDER = 'order_id affiliation total revenue shipping tax discount coupon currency products'
const CHECKOUT_STEP = 'checkout_id step shipping_method payment_method'

/** The property tables of Segment's V2 e-commerce events, and what an application says for the id of each. */
const TABLES: [tracked: string, event: string, id: string | undefined, properties: string][] = [
  ['product search', 'Products Searched', undefined, 'query'],
  ['product list view', 'Product List Viewed', 'list_id', 'list_id category products'],
  ['product list filter', 'Product List Filtered', 'list_id', 'list_id category filters sorts products'],
  ['promotion view', 'Promotion Viewed', 'promotion_id', 'promotion_id creative name position'],
  ['promotion click', 'Promotion Clicked', 'promotion_id', 'promotion_id creative name position'],
  ['product click', 'Product Clicked', 'product_id', PRODUCT],
  ['product view', 'Product Viewed', 'product_id', `${PRODUCT} currency value`],
  ['product add', 'Product Added', 'product_id', `${PRODUCT} cart_id`],
  ['product remove', 'Product Removed', 'product_id', `${PRODUCT} cart_id`],
  ['cart view', 'Cart Viewed', 'cart_id', 'cart_id products'],
  ['checkout start', 'Checkout Started', 'order_id', `${ORDER.replace('total', 'value')}`],
  ['checkout step view', 'Checkout Step Viewed', 'checkout_id', CHECKOUT_STEP],
  ['checkout step complete', 'Checkout Step Completed', 'checkout_id', CHECKOUT_STEP],
  ['payment info enter', 'Payment Info Entered', undefined, `${CHECKOUT_STEP} order_id`],
  ['order update', 'Order Updated', 'order_id', ORDER],
  ['order complete', 'Order Completed', 'order_id', `${ORDER} checkout_id subtotal`],
  ['order refund', 'Order Refunded', 'order_id', 'order_id total currency products'],
  ['order cancel', 'Order Cancelled', 'order_id', ORDER],
  ['coupon enter', 'Coupon Entered', 'coupon_id', 'order_id cart_id coupon_id'],
  ['coupon apply', 'Coupon Applied', 'coupon_id', 'order_id cart_id coupon_id coupon_name discount'],
  ['coupon deny', 'Coupon Denied', 'coupon_id', 'order_id cart_id coupon_id coupon_name reason'],
  ['coupon remove', 'Coupon Removed', 'coupon_id', 'order_id cart_id coupon_id coupon_name discount'],
  [
    'product add to wishlist',
    'Product Added to Wishlist',
    'product_id',
    `${PRODUCT} wishlist_id wishlist_name`,
  ],
  [
    'product remove from wishlist',
    'Product Removed from Wishlist',
    'product_id',
    `${PRODUCT} wishlist_id wishlist_name`,
  ],
  [
    'wishlist product add to cart',
    'Wishlist Product Added to Cart',
    'wishlist_id',
    `${PRODUCT} wishlist_id wishlist_name cart_id`,
  ],
  [
    'product share',
    'Product Shared',
    'product_id',
    'share_via share_message recipient product_id sku category name brand variant price url image_url',
  ],
  ['cart share', 'Cart Shared', 'cart_id', 'share_via share_message recipient cart_id products'],
  ['product review', 'Product Reviewed', 'product_id', 'product_id review_id review_body rating'],
]

async function propertiesOf(
  event: { name: string; data?: object; nested?: object[] },
  mapping: Rules = segmentEcommerce(),
) {
  const segment = await segmentServer()
  const tracking = trackingTo(segment, { mapping, request: { context: false } })
  const inRequest = await requestsOf(tracking)
  await inRequest((tracker) => tracker.track(event), visitor('s1'))
  await tracking.flush()
  const [call] = segment.calls
  return call?.type === 'track' ? { event: call.event, properties: call.properties } : undefined
}

const products = [
  { product_id: 'P-1', sku: 'S-1', price: 30, quantity: 1 },
  { product_id: 'P-2', sku: 'S-2', price: 12, quantity: 2 },
]

/** A value for each property of a table. */
function specified(table: string): Record<string, unknown> {
  return Object.fromEntries(
    table.split(' ').map((name) => [name, name === 'products' ? products : `the ${name}`]),
  )
}

describe('segmentEcommerce()', () => {
  it.each(TABLES)('makes of %s %s, with the properties of its table', async (name, event, id, table) => {
    const properties = specified(table)
    expect(await propertiesOf({ name, data: properties })).toEqual({ event, properties })

    const { products: _, ...given }: Record<string, unknown> = {
      ...properties,
      ...(id !== undefined && { id: properties[id] }),
    }
    if (id !== undefined) Reflect.deleteProperty(given, id)
    const nested = products.map(({ product_id, ...data }) => ({
      entity: 'product',
      data: { id: product_id, ...data },
    }))
    const isList = 'products' in properties
    expect(await propertiesOf({ name, data: given, ...(isList && { nested }) })).toEqual({
      event,
      properties,
    })
  })

  it('has a rule for each event of the specification, and no other', () => {
    const { '*': _, ...entities } = segmentEcommerce()
    const rules = Object.values(entities).flatMap((actions) => Object.values<{ name: string }>(actions))
    const names = rules.map(({ name }) => name)
    expect(names.sort()).toEqual(TABLES.map(([, event]) => event).sort())
  })

  it('keeps what the specification does not know, and an id beside the specification’s own', async () => {
    const data = { id: 'row-7', product_id: 'P-1', colour: 'red' }
    expect(await propertiesOf({ name: 'product view', data })).toEqual({
      event: 'Product Viewed',
      properties: data,
    })
  })

  it('takes coupon names', async () => {
    expect(await propertiesOf({ name: 'coupon apply', data: { id: 'C-1', name: 'May' } })).toEqual({
      event: 'Coupon Applied',
      properties: { coupon_id: 'C-1', coupon_name: 'May' },
    })
  })

  it('makes a list of products of nested products only, and only where none was given', async () => {
    const nested = [
      { entity: 'gift', data: { id: 'G-1' } },
      { entity: 'product', data: { id: 'P-1' } },
      { entity: 'product' },
      'junk' as never,
    ]
    const none = await propertiesOf({ name: 'product view', data: { id: 'P-1' }, nested })
    expect(none?.properties).toEqual({ product_id: 'P-1' })
    const made = await propertiesOf({ name: 'order complete', nested })
    expect(made?.properties).toEqual({ products: [{ product_id: 'P-1' }, {}] })
    const given = await propertiesOf({
      name: 'order complete',
      data: { products: [{ id: 'P-2' }, 'P-3'] },
      nested,
    })
    expect(given?.properties).toEqual({ products: [{ product_id: 'P-2' }, 'P-3'] })
    const junk = await propertiesOf({ name: 'order complete', data: { products: 'two' }, nested })
    expect(junk?.properties).toEqual({ products: 'two' })
  })

  it('is spread and overridden', async () => {
    const ecommerce = segmentEcommerce()
    const mapping: Rules = {
      ...ecommerce,
      order: {
        ...ecommerce.order,
        complete: { ...ecommerce.order.complete, name: 'Purchase' },
        cancel: { ignore: true },
      },
      signup: { complete: { name: 'Signed Up' } },
    }
    const data = { id: 'A-1' }
    expect(await propertiesOf({ name: 'order complete', data }, mapping)).toEqual({
      event: 'Purchase',
      properties: { order_id: 'A-1' },
    })
    expect(await propertiesOf({ name: 'order cancel', data }, mapping)).toBeUndefined()
    expect(await propertiesOf({ name: 'signup complete' }, mapping)).toMatchObject({ event: 'Signed Up' })
    expect(await propertiesOf({ name: 'cart view', data }, mapping)).toMatchObject({ event: 'Cart Viewed' })
  })

  it('shares nothing between two calls', () => {
    const one = segmentEcommerce()
    one.order.complete.name = 'Changed'
    expect(segmentEcommerce().order.complete.name).toBe('Order Completed')
  })
})
