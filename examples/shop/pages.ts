import { readFileSync } from 'node:fs'
import { art } from './art.js'
import {
  type Company,
  CURRENCY,
  type Customer,
  companies,
  customers,
  type Product,
  products,
} from './catalogue.js'

/** Who looks at a page. */
export interface Visitor {
  readonly customer?: Customer | undefined
  readonly company?: Company | undefined
}

const style = readFileSync(new URL('./page.css', import.meta.url), 'utf8')
const script = readFileSync(new URL('./page.js', import.meta.url), 'utf8')

/** The page with all products. */
export function cataloguePage(visitor: Visitor): string {
  const cards = products.map(
    (product) => `
      <article>
        <a class="picture" href="/products/${product.id}">${picture(product)}</a>
        <h2><a href="/products/${product.id}">${escapeHtml(product.name)}</a></h2>
        <p class="price">€ ${product.price}</p>
        ${action('/orders', { product: product.id }, 'Order')}
      </article>`,
  )
  return page(
    'Catalogue',
    visitor,
    `<h1>For nights outside</h1><section class="grid">${cards.join('')}</section>`,
  )
}

/** The page of one product. It sends the view of it, once somebody's browser shows it. */
export function productPage(product: Product, visitor: Visitor): string {
  const { id, name, price } = product
  const view = { name: 'product view', data: { id, name, price, currency: CURRENCY } }
  const content = `
    <p><a href="/">← All products</a></p>
    <article class="wide" data-view="${escapeHtml(JSON.stringify(view))}">
      <div class="picture">${picture(product)}</div>
      <div>
        <h1>${escapeHtml(product.name)}</h1>
        <p>${escapeHtml(product.description)}</p>
        <p class="price">€ ${product.price}</p>
        ${action('/orders', { product: product.id }, 'Order one')}
        ${action('/orders', { product: product.id, quantity: 2 }, 'Order two', 'quiet')}
      </div>
    </article>`
  return page(product.name, visitor, content)
}

/** The page of what could not be done. */
export function failurePage(message: string, visitor: Visitor): string {
  const content = `
    <h1>This did not work</h1>
    <p>${escapeHtml(message)}</p>
    <p>What was tracked before is sent all the same: watch the terminal.</p>
    <p><a href="/">← All products</a></p>`
  return page('This did not work', visitor, content)
}

function page(title: string, visitor: Visitor, content: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${escapeHtml(title)} · Base Camp</title>
    <link rel="icon" href="data:,">
    <style>${style}</style>
  </head>
  <body>
    <header><a class="brand" href="/">▲ Base Camp</a><nav>${account(visitor)}</nav></header>
    <main>${content}</main>
    <footer>
      <p>What you do here is tracked: watch the terminal.</p>
      <p>
        <button class="link" data-consent="ask">Cookie settings</button> ·
        <a href="/stock">A page that fails</a>
      </p>
    </footer>
    <aside id="consent" hidden>
      <p><strong>May we measure what you look at?</strong> Orders and sign-ins are tracked either way.</p>
      <button data-consent="granted">Yes</button>
      <button class="quiet" data-consent="denied">No</button>
    </aside>
    <p id="notice" role="status" hidden></p>
    <script>${script}</script>
  </body>
</html>
`
}

function account({ customer, company }: Visitor): string {
  if (!customer) {
    const signIns = customers.map(({ id, name }) => action('/login', { user: id }, name, 'quiet'))
    return `<span>Sign in as</span> ${signIns.join(' ')}`
  }
  const switches = companies
    .filter(({ id }) => id !== company?.id)
    .map(({ id, name }) => action('/company', { company: id }, `Buy for ${name}`, 'quiet'))
  const who = company ? `${customer.name}, ${company.name}` : customer.name
  return `<strong>${escapeHtml(who)}</strong> ${switches.join(' ')}
    ${action('/newsletter', {}, 'Newsletter', 'quiet')} ${action('/logout', {}, 'Sign out', 'quiet')}`
}

/** A button that posts JSON. */
function action(path: string, body: object, label: string, style = ''): string {
  return `<button class="${style}" data-post="${path}" data-body="${escapeHtml(JSON.stringify(body))}">${escapeHtml(label)}</button>`
}

function picture({ id, name }: Product): string {
  return `<svg viewBox="0 0 120 110" role="img" aria-label="${escapeHtml(name)}">${art[id] ?? ''}</svg>`
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '')
}
