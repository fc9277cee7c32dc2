import { describe, expect, it } from 'vitest'
import { pageOf } from '../../scripts/docs/pages.js'
import { deedsOf } from '../../scripts/docs/paste/deeds.js'
import { packagesIn, pasted } from '../../scripts/docs/paste/merge.js'
import { unknownNames } from '../../scripts/docs/paste/unknown-names.js'

const block = (language: string, text: string) => `\`\`\`${language}\n${text}\n\`\`\`\n`
const server = "import express from 'express'\nconst app = express()\napp.listen(3000)"
const deeds = (text: string) => deedsOf(pageOf('docs/made-up.md', text)).map(({ line: _, ...deed }) => deed)

describe('what a reader does with a block', () => {
  it('saves an application, under the name that the page gives it, and starts it as the page says', () => {
    expect(deeds(block('ts', server))).toEqual([
      { kind: 'save', file: 'app.ts', text: `${server}\n`, start: 'npx tsx app.ts', isAside: false },
    ])
    expect(deeds(`Save this as \`shop.js\`:\n${block('ts', server)}`)).toMatchObject([
      { file: 'shop.js', start: 'node shop.js' },
    ])
    expect(
      deeds(
        `Save this as \`main.ts\`, and start it with \`npx tsc && node main.js\`:\n${block('ts', server)}`,
      ),
    ).toMatchObject([{ file: 'main.ts', start: 'npx tsc && node main.js' }])
  })

  it('pastes a part, which uses what it does not import', () => {
    expect(deeds(block('ts', "app.get('/', handler)"))).toMatchObject([{ kind: 'paste', throws: false }])
    expect(deeds(block('ts', 'const server = app.listen(3000)'))).toMatchObject([{ kind: 'paste' }])
  })

  it('keeps what is folded, and a script beside a server, out of the way of what follows', () => {
    const script = "import { createTracking } from 'reqtrack'\ncreateTracking({})"
    const text = `${block('ts', server)}<details>\n${block('ts', server)}</details>\n${block('ts', script)}`
    expect(deeds(text)).toMatchObject([{ isAside: false }, { isAside: true }, { isAside: true }])
  })

  it('types commands and packages of a sentence, and compares what comes', () => {
    const text = `Stop the application. With \`npm install ws\`:\n${block('sh', 'curl localhost:3000')}${block('text calls', 'track')}${block('text', 'shown only')}`
    expect(deeds(text)).toEqual([
      { kind: 'stop' },
      { kind: 'type', text: 'npm install ws' },
      { kind: 'type', text: 'curl localhost:3000\n' },
      { kind: 'compare', what: 'calls', text: 'track\n' },
    ])
  })
})

describe('a part that is pasted', () => {
  it('brings its imports once, and takes the place of what has its name', () => {
    const file = "import { a } from 'x'\nconst one = a()\nuse(one)\n"
    const part = "import { a, b } from 'x'\nconst two = b()\nconst one = two\nmore(one)"
    const lines = pasted(file, part).split('\n').filter(Boolean)
    expect(lines).toEqual([
      "import { b } from 'x'",
      "import { a } from 'x'",
      'const two = b()',
      'const one = two',
      'use(one)',
      'more(one)',
    ])
  })

  it('goes into a handler if it speaks of a request', () => {
    expect(pasted('app.listen(1)\n', "req.track('order complete')")).toContain('async (req, res) => {')
    expect(pasted('', "app.get('/', (req) => req.track('x'))")).not.toContain('async (req, res) => {')
  })

  it('is held to names that somebody declares', () => {
    const texts = [
      "import { a } from 'x'\nconst one: string = a(process.env.HOME)\n",
      'const later = setTimeout\nlater(() => missing)\n',
    ]
    expect(unknownNames(texts.map((text, line) => ({ page: 'docs/made-up.md', line, text })))).toMatchObject([
      { line: 1, message: expect.stringContaining("'missing'") },
    ])
  })
})

it('finds the packages that an application imports', () => {
  const imports = ['node:http', 'fs', './own.js', 'reqtrack/express', '@koa/router', 'koa/lib/x']
  expect(packagesIn(imports.map((each) => `import '${each}'\n`).join(''))).toEqual(['@koa/router', 'koa'])
})
