import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { checkTypes } from '../../scripts/docs/compile.js'
import { readCurl } from '../../scripts/docs/curl.js'
import { checkGenerated, regenerated } from '../../scripts/docs/generated.js'
import { checkLinks } from '../../scripts/docs/links.js'
import { matches } from '../../scripts/docs/matches.js'
import { modulesOf, outsideNames } from '../../scripts/docs/modules.js'
import { pageOf, readPage } from '../../scripts/docs/pages.js'
import { runPages } from '../../scripts/docs/run.js'
import { root } from '../../scripts/entries.js'

const standIns = join(root, 'scripts', 'docs', 'stand-ins.ts')
const outside = outsideNames(standIns)

/** A page of blocks: what is after the fence, and what is in it. */
function page(...blocks: (readonly [info: string, text: string])[]) {
  const text = blocks.map(([info, block]) => `\`\`\`${info}\n${block}\n\`\`\`\n`).join('\n')
  return pageOf('docs/a-page.md', text)
}

async function runOf(...blocks: Parameters<typeof page>) {
  const tested = page(...blocks)
  const [run] = await runPages([tested], modulesOf(tested.blocks, outside), standIns)
  return run
}

const shop = `import express from 'express'
const tracking = createTracking({ settings })
const app = express().use(expressTracking(tracking))
app.post('/orders', (req, res) => {
  req.track('order complete', { total: 42 })
  res.end()
})
app.listen(3000)`

describe('compiling the blocks', () => {
  it('finds a wrong type at its line of the page, and lets blocks build on each other', () => {
    const { blocks } = page(
      ['ts', shop],
      ['ts', "tracking.stats().events.open\ntracking.stat()\napp.get('/')"],
    )
    const problems = checkTypes(modulesOf(blocks, outside), standIns)
    expect(problems).toEqual([
      { page: 'docs/a-page.md', line: 14, message: expect.stringContaining("'stat' does not exist") },
    ])
  })

  it('keeps what one block adds to the types from the others', () => {
    const { blocks } = page(
      [
        'ts',
        `declare module 'reqtrack' {
  interface TrackEvents {
    'order complete': { total: number }
  }
}
// @ts-expect-error: this is not declared
req.track('order cancel')`,
      ],
      ['ts', "req.track('order cancel')"],
    )
    expect(checkTypes(modulesOf(blocks, outside), standIns)).toEqual([])
  })
})

describe('running the blocks', () => {
  const order = ['sh', "curl -X POST localhost:3000/orders -b 'ajs_anonymous_id=a1'"] as const

  it('accepts what really comes of them', async () => {
    const run = await runOf(
      ['ts', shop],
      order,
      ['text calls', 'track     order complete  anon=…  {"total":42}'],
      ['ts', 'console.log(tracking.stats().calls.delivered)'],
      ['text output', '1'],
      ['ts throws', "createTracking({ settings: { writeKey: '' } })"],
      ['text error', '…\n  settings.writeKey: given an empty string, expected …'],
    )
    expect(run).toMatchObject({ problems: [], ran: 3 })
  })

  it('finds calls, output and errors that are not as the page says, and what they are', async () => {
    const run = await runOf(
      ['ts', shop],
      order,
      ['text calls', 'track     order complete  anon=a1  {"total":43}'],
      ['ts', "console.log('one')"],
      ['text output', 'two'],
      ['ts throws', "console.log('nothing is thrown')"],
      ['ts', "throw new Error('broken')"],
    )
    expect(run?.problems.map(({ line }) => line)).toEqual([17, 25, 29, 33])
    expect(run?.corrections).toEqual(
      new Map([
        [17, 'track     order complete  anon=a1  {"total":42}'],
        [25, 'one'],
      ]),
    )
  })

  it('waits for what comes a little later', async () => {
    const run = await runOf(
      ['ts', "setTimeout(() => console.log('from elsewhere'), 300)"],
      ['text output', 'from elsewhere'],
    )
    expect(run?.problems).toEqual([])
  })

  it('connects those who ask for a port to the server of the page that asked for it', async () => {
    const run = await runOf(
      ['ts', shop],
      [
        'ts',
        `import { get } from 'node:http'
get('http://localhost:3000/there', ({ statusCode }) => console.log(statusCode))
get({ port: 3000 }, ({ statusCode }) => console.log(statusCode))
fetch('http://127.0.0.1:3000/there').then(({ status }) => console.log(status))`,
      ],
      ['text output', '404\n404\n404'],
    )
    expect(run?.problems).toEqual([])
  })

  it('leaves out what needs a Redis where there is none, and what the page says came of it', async () => {
    vi.stubEnv('REDIS_URL', undefined)
    onTestFinished(() => void vi.unstubAllEnvs())
    const run = await runOf(
      ['ts', "export const redis = process.env.REDIS_URL\nthrow new Error('there is none')"],
      ['text calls', 'track     order complete  user=u-1'],
      ['ts', 'console.log(redis)'],
      ['text output', 'redis://127.0.0.1:6379'],
      ['ts', "console.log('one')"],
      ['text output', 'one'],
    )
    expect(run).toMatchObject({ problems: [], ran: 1 })
  })

  it('tells where a page ends its process', async () => {
    const run = await runOf(['ts', "console.log('one')"], ['ts', 'process.exit(3)'])
    expect(run?.problems).toEqual([
      expect.objectContaining({ line: 6, message: expect.stringContaining('3') }),
    ])
  })

  it('tracks what a page’s handler does with the configuration that a block declares', async () => {
    const run = await runOf(
      ['ts', "function handler(req: Request) {\n  req.track('order complete')\n}"],
      ['text calls', 'track     order complete  user=u-1 anon=a-1'],
      ['ts', "const mapping: Rules = { order: { complete: { name: 'Order Completed' } } }"],
      ['text calls', 'track     Order Completed  user=u-1 anon=a-1'],
    )
    expect(run?.problems).toEqual([])
  })
})

describe('following the links', () => {
  it('finds files and headings that are not there', () => {
    const readme = readPage('README.md')
    const linking = pageOf(
      'docs/a-page.md',
      `## A \`heading\`, twice\n## A \`heading\`, twice
[one](#a-heading-twice), [two](#a-heading-twice-1), [readme](../README.md#mapping), [web](https://example.com)
[no heading](#nothing), [no file](nothing.md), [no such part](../README.md#nothing), [outside](../../package.json)`,
    )
    const problems = checkLinks([readme, linking]).filter((problem) => problem.page === 'docs/a-page.md')
    expect(problems.map(({ line, message }) => [line, message.split(':')[0]])).toEqual([
      [4, '#nothing'],
      [4, 'nothing.md'],
      [4, '../README.md#nothing'],
      [4, '../../package.json'],
      [1, 'no other page links to this one'],
    ])
  })
})

describe('the generated parts', () => {
  it('are found to be behind the sources, and brought up to date', async () => {
    const behind = pageOf('docs/a-page.md', 'Before\n\n<!-- generated: env -->\nold\n<!-- end -->\n\nAfter\n')
    const fresh = await regenerated(behind)
    expect(fresh).toMatch(
      /^Before\n\n<!-- generated: env -->\n\n\| option .*analytics.*<!-- end -->\n\nAfter\n$/s,
    )
    const problemsOf = async (text: string) =>
      (await checkGenerated([pageOf('docs/a-page.md', text)])).filter(({ page }) => page === 'docs/a-page.md')
    expect(await problemsOf(behind.text)).toEqual([expect.objectContaining({ line: 4 })])
    expect(await problemsOf(fresh)).toEqual([])
  })
})

describe('reading pages', () => {
  it('knows a block by its first word, and takes it out of a list', () => {
    const { blocks } = pageOf('docs/a-page.md', '- a list\n\n  ```ts throws\n  const a = 1\n  ```\n')
    expect(blocks).toEqual([
      { page: 'docs/a-page.md', line: 4, language: 'ts', words: ['throws'], text: 'const a = 1\n' },
    ])
  })

  it('refuses a block that does not end', () => {
    expect(() => pageOf('docs/a-page.md', 'a\n```ts\nconst a = 1\n')).toThrow('docs/a-page.md:2')
  })
})

it.each([
  ['a … c', 'a b c', true],
  ['a … c', 'a b\nc', false],
  ['a\n…\nd', 'a\nb\nc\nd', true],
  ['a (b)?', 'a (b)?', true],
  ['a.', 'ab', false],
  ['a', 'a\nb', false],
])('takes %j for %j: %s', (expected, actual, verdict) => {
  expect(matches(expected, actual)).toBe(verdict)
})

it('reads the requests of curl lines, and refuses what it does not know', () => {
  const [order, login] = readCurl(
    "# a comment\ncurl localhost:3000/orders -b 'a=1; b=2' # why\ncurl --json '{\"user\":\"ada\"}' \\\n  http://localhost:3000/login -H 'X-A: b'\n",
  )
  expect(order?.url.href).toBe('http://localhost:3000/orders')
  expect(new Headers(order?.init.headers).get('cookie')).toBe('a=1; b=2')
  expect(login?.init).toMatchObject({ method: 'POST', body: '{"user":"ada"}' })
  expect(new Headers(login?.init.headers).get('x-a')).toBe('b')
  expect(() => readCurl('curl --insecure localhost')).toThrow('insecure')
})
