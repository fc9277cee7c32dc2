import { createHash } from 'node:crypto'
import { html, script, styles } from './page/assets.js'

/** The page: one document that contains its styles and its script. */
export const page = html
  // A function, because in a replacement string `$` has a meaning.
  .replace('/*styles*/', () => styles)
  .replace('/*script*/', () => script)

/** Allows only the page's own styles, script and stream, and no other file of the same origin. */
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

/** A page that shows nothing but a text. */
export function plainPage(text: string): string {
  const escaped = text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
  return `<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>reqtrack inspector</title>\n<pre>${escaped}</pre>\n</html>\n`
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
