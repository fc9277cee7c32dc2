import { h } from './dom.js'

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|(-?\d[\d.eE+-]*)/g

/** Coloured JSON with a button that copies it. */
export function jsonBlock(text: string, label: string): HTMLElement {
  const code = h('code')
  let from = 0
  for (const match of text.matchAll(TOKEN)) {
    const [token, string, colon, word] = match
    code.append(text.slice(from, match.index))
    const kind = string === undefined ? (word === undefined ? 'number' : 'word') : colon ? 'key' : 'string'
    code.append(h('span', { class: `json-${kind}` }, string ?? token), colon ?? '')
    from = match.index + token.length
  }
  code.append(text.slice(from))
  const block = h('pre', { tabindex: '0', role: 'region', 'aria-label': label }, code)
  return h(
    'div',
    { class: 'json' },
    copyButton('Copy', () => text, block),
    block,
  )
}

/** A button that copies a text and says so. */
export function copyButton(label: string, text: () => string, shown?: HTMLElement): HTMLButtonElement {
  const button = h('button', { type: 'button', class: 'copy' }, label)
  button.addEventListener('click', async () => {
    const copied = await copy(text(), shown)
    button.textContent = copied ? 'Copied' : 'Press Ctrl+C'
    setTimeout(() => {
      button.textContent = label
    }, 1500)
  })
  return button
}

/** Browsers give the clipboard to secure origins only; elsewhere this selects the shown text. */
async function copy(text: string, shown: HTMLElement | undefined): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    if (shown) getSelection()?.selectAllChildren(shown)
    return false
  }
}
