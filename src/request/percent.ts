/** Well-formed percent-encoded UTF-8: RFC 3629, section 4. Each alternative begins differently, so it runs in linear time. */
const ENCODED_UTF8 =
  /^(?:[^%]|%[0-7][\da-f]|%(?:c[2-9a-f]|d[\da-f])%[89ab][\da-f]|%e0%[ab][\da-f]%[89ab][\da-f]|%e[1-9abcef](?:%[89ab][\da-f]){2}|%ed%[89][\da-f]%[89ab][\da-f]|%f0%[9ab][\da-f](?:%[89ab][\da-f]){2}|%f[1-3](?:%[89ab][\da-f]){3}|%f4%8[\da-f](?:%[89ab][\da-f]){2})*$/i

/**
 * Undoes percent-encoding. Malformed text is found without an exception, which would take as long as hundreds of decodings.
 *
 * @param text - Some kilobytes at most.
 * @returns The text, or `undefined` if it is not valid percent-encoded UTF-8.
 */
export function percentDecoded(text: string): string | undefined {
  if (!text.includes('%')) return text
  return ENCODED_UTF8.test(text) ? decodeURIComponent(text) : undefined
}
