import { isRecord, setMember } from '../model/values.js'

/** A mapping rule of {@link segmentEcommerce}: used as it is, or spread into a rule of the application's. */
export interface EcommerceRule {
  /** The event's name in the specification. */
  name: string
  /** Gives the event's data under the specification's names. */
  data: { fn: (event: unknown) => Record<string, unknown> }
}

// An interface would not be assignable to rules of any entity.
/** The rules of {@link segmentEcommerce} by entity and action. */
export type EcommerceRules = {
  product: Record<
    | 'search'
    | 'list view'
    | 'list filter'
    | 'click'
    | 'view'
    | 'add'
    | 'remove'
    | 'add to wishlist'
    | 'remove from wishlist'
    | 'share'
    | 'review',
    EcommerceRule
  >
  promotion: Record<'view' | 'click', EcommerceRule>
  cart: Record<'view' | 'share', EcommerceRule>
  checkout: Record<'start' | 'step view' | 'step complete', EcommerceRule>
  payment: Record<'info enter', EcommerceRule>
  order: Record<'update' | 'complete' | 'refund' | 'cancel', EcommerceRule>
  coupon: Record<'enter' | 'apply' | 'deny' | 'remove', EcommerceRule>
  wishlist: Record<'product add to cart', EcommerceRule>
  /** None of its own: it lets the compiler take the rules beside events of which none is one of these. */
  '*'?: Record<string, never>
}

/** The specification's names of members of an event's data. */
type Names = Readonly<Record<string, string>>

const PRODUCT: Names = { id: 'product_id' }
const LIST: Names = { id: 'list_id' }
const PROMOTION: Names = { id: 'promotion_id' }
const CART: Names = { id: 'cart_id' }
const CHECKOUT: Names = { id: 'checkout_id' }
const ORDER: Names = { id: 'order_id' }
const COUPON: Names = { id: 'coupon_id', name: 'coupon_name' }
const WISHLIST: Names = { id: 'wishlist_id' }
const NONE: Names = {}

/**
 * Makes mapping rules for Segment's e-commerce specification: `product view` becomes `Product Viewed`, `order complete`
 * becomes `Order Completed`, and so on for all of its events.
 *
 * Data keep their names, and go along whether or not the specification knows them. An `id` becomes that of its entity, such
 * as `product_id`, unless the data have that, too. Nested products become the list `products` where an event has one.
 *
 * Source: Segment, "Spec: V2 Ecommerce Events".
 *
 * @example
 * const ecommerce = segmentEcommerce()
 * createTracking({
 *   settings,
 *   mapping: { ...ecommerce, order: { ...ecommerce.order, cancel: { ignore: true } } },
 * })
 */
export function segmentEcommerce(): EcommerceRules {
  return {
    product: {
      search: rule('Products Searched', NONE),
      'list view': listRule('Product List Viewed', LIST),
      'list filter': listRule('Product List Filtered', LIST),
      click: rule('Product Clicked', PRODUCT),
      view: rule('Product Viewed', PRODUCT),
      add: rule('Product Added', PRODUCT),
      remove: rule('Product Removed', PRODUCT),
      'add to wishlist': rule('Product Added to Wishlist', PRODUCT),
      'remove from wishlist': rule('Product Removed from Wishlist', PRODUCT),
      share: rule('Product Shared', PRODUCT),
      review: rule('Product Reviewed', PRODUCT),
    },
    promotion: {
      view: rule('Promotion Viewed', PROMOTION),
      click: rule('Promotion Clicked', PROMOTION),
    },
    cart: {
      view: listRule('Cart Viewed', CART),
      share: listRule('Cart Shared', CART),
    },
    checkout: {
      start: listRule('Checkout Started', ORDER),
      'step view': rule('Checkout Step Viewed', CHECKOUT),
      'step complete': rule('Checkout Step Completed', CHECKOUT),
    },
    payment: {
      'info enter': rule('Payment Info Entered', NONE),
    },
    order: {
      update: listRule('Order Updated', ORDER),
      complete: listRule('Order Completed', ORDER),
      refund: listRule('Order Refunded', ORDER),
      cancel: listRule('Order Cancelled', ORDER),
    },
    coupon: {
      enter: rule('Coupon Entered', COUPON),
      apply: rule('Coupon Applied', COUPON),
      deny: rule('Coupon Denied', COUPON),
      remove: rule('Coupon Removed', COUPON),
    },
    wishlist: {
      'product add to cart': rule('Wishlist Product Added to Cart', WISHLIST),
    },
  }
}

function rule(name: string, names: Names): EcommerceRule {
  return { name, data: { fn: (event) => renamed(dataOf(event), names) } }
}

/** The rule of an event with a list of products. */
function listRule(name: string, names: Names): EcommerceRule {
  return { name, data: { fn: (event) => withProducts(renamed(dataOf(event), names), event) } }
}

function renamed(data: Readonly<Record<string, unknown>>, names: Names): Record<string, unknown> {
  const properties: Record<string, unknown> = {}
  for (const [given, value] of Object.entries(data)) {
    const name = Object.hasOwn(names, given) ? names[given] : undefined
    setMember(properties, name === undefined || Object.hasOwn(data, name) ? given : name, value)
  }
  return properties
}

/** The event's own `products`, or its nested products. */
function withProducts(properties: Record<string, unknown>, event: unknown): Record<string, unknown> {
  const { products = nestedProductsOf(event) } = properties
  if (!Array.isArray(products) || products.length === 0) return properties
  const list = products.map((product: unknown) => (isRecord(product) ? renamed(product, PRODUCT) : product))
  return { ...properties, products: list }
}

function nestedProductsOf(event: unknown): unknown[] {
  const nested = isRecord(event) ? event.nested : undefined
  if (!Array.isArray(nested)) return []
  return nested.filter((entity) => isRecord(entity) && entity.entity === 'product').map(dataOf)
}

function dataOf(entity: unknown): Record<string, unknown> {
  return isRecord(entity) && isRecord(entity.data) ? entity.data : {}
}
