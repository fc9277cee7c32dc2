import { createHash } from 'node:crypto'
import { html, script, styles } from './page/assets.js'

/** The page: one document with its styles and its script in it. */
export const page = html
  // A function as replacement: text after `$` has no meaning then.
  .replace('/*styles*/', () => styles)
  .replace('/*script*/', () => script)

/** Nothing but the page's own styles, script and stream; not even other files of the same origin. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  `script-src '${hashOf(script)}'`,
  `style-src '${hashOf(styles)}'`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
