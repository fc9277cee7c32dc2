import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { planCommand } from '../../src/plan/command/command.js'
import { errorsOf } from './compiling.js'
import { COMMON, ORDER, rule } from './segment.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A folder with files of JSON, or of text as it is. */
function folderWith(files: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'reqtrack-plan-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return folder
}

/** Runs `reqtrack plan` in a process of its own, in the folder of the files. */
function run(folder: string, ...args: string[]) {
  const tsx = join(root, 'node_modules/tsx/dist/loader.mjs')
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', tsx, join(root, 'src/cli.ts'), 'plan', ...args],
    {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, TSX_TSCONFIG_PATH: join(root, 'tsconfig.json') },
    },
  )
  return { status, stdout, stderr }
}

/** Runs it in this process, which is thirty times as fast. */
async function plan(folder: string, ...args: string[]) {
  const before = process.cwd()
  const out: string[] = []
  const err: string[] = []
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((text) => void out.push(`${text}\n`)),
    vi.spyOn(console, 'error').mockImplementation((text) => void err.push(`${text}\n`)),
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0),
  ]
  process.chdir(folder)
  try {
    const status = await planCommand(args, 'THE USAGE')
    const stdout = out.join('')
    return { status, stdout, stderr: err.join(''), lines: stdout.trim().split('\n') }
  } finally {
    process.chdir(before)
    for (const spy of spies) spy.mockRestore()
  }
}

describe('npx reqtrack plan', () => {
  it.each([
    [['types', 'none.json'], 'none.json does not exist'],
    [['check', 'none.json'], 'none.json does not exist'],
    [['types', 'text.json'], 'text.json is no JSON'],
    [['check', 'text.json'], 'text.json is no JSON'],
    [['check', 'other.json'], 'other.json is neither a tracking plan as Segment exports it'],
    [['check', 'plan.json', '--config', 'none.json'], 'none.json does not exist'],
    [['check', 'plan.json', '--config', 'other.json'], 'other.json has no mapping'],
    [['check', 'plan.json', '--config', 'broken.mjs'], 'broken.mjs cannot be imported'],
    [['check', 'plan.json', '--events', 'none.txt'], 'none.txt does not exist'],
    [['check', 'plan.json', '--events', 'half.txt'], 'half.txt has a line'],
    [['check', 'plan.json', '--colour'], '--colour'],
    [['check'], 'THE USAGE'],
    [['check', 'plan.json', 'plan.json'], 'THE USAGE'],
    [['judge', 'plan.json'], 'THE USAGE'],
    [[], 'THE USAGE'],
  ])('%j says what is wrong and exits with 2', async (args, message) => {
    const folder = folderWith({
      'plan.json': [ORDER],
      'text.json': 'rules:',
      'other.json': '[1]'.slice(1, 2),
      'broken.mjs': 'export const',
      'half.txt': '{"name": "x"',
    })
    const { status, stderr, stdout } = await plan(folder, ...args)
    expect(status, stderr).toBe(2)
    expect(stderr).toContain(message)
    expect(stdout).toBe('')
  })

  it('is a command whose exit codes are those of CI', () => {
    const folder = folderWith({ 'good.json': [ORDER], 'twice.json': [ORDER, ORDER], 'text.json': 'rules:' })
    expect(run(folder, '--help')).toMatchObject({ status: 0, stderr: '' })
    expect(run(folder, '--help').stdout).toContain('npx reqtrack plan types FILE [--out FILE]')
    expect(run(folder, 'check', 'good.json')).toMatchObject({ status: 0, stderr: '' })
    expect(run(folder, 'types', 'good.json').stdout).toContain('interface TrackEvents')
    expect(run(folder, 'check', 'twice.json').status).toBe(1)
    const wrong = run(folder, 'check', 'text.json')
    expect(wrong.status).toBe(2)
    expect(wrong.stderr).toContain('reqtrack: text.json is no JSON')
  })
})

describe('npx reqtrack plan types', () => {
  const rules = [
    ORDER,
    COMMON,
    rule(
      'TRACK',
      'it\'s "odd" \\ */',
      {
        required: ['a-b'],
        properties: {
          'a-b': { enum: ['x', 1, null] },
          pair: { type: 'array', items: [{ type: 'string' }, { type: 'integer' }], additionalItems: false },
          either: { anyOf: [{ type: 'string' }, { type: 'object', properties: { b: { type: 'boolean' } } }] },
          list: { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'null' }] } },
          map: { type: 'object', additionalProperties: { type: 'number' } },
          tree: { $ref: '#/definitions/tree' },
          any: {},
          none: false,
          fixed: { const: 'f' },
        },
      },
      { definitions: { tree: { type: 'object', properties: { left: { $ref: '#/definitions/tree' } } } } },
    ),
    rule('IDENTIFY', null, { properties: { plan: { type: 'string' } } }),
  ]

  it('writes TrackEvents as a module', async () => {
    const { status, stdout, stderr } = await plan(
      folderWith({ 'plan.json': { rules: [ORDER] } }),
      'types',
      'plan.json',
    )
    expect(status, stderr).toBe(0)
    expect(
      stdout,
    ).toBe(`// Made from plan.json by \`npx reqtrack plan types\`: change the plan, and make it again.
import type {} from 'reqtrack'

declare module 'reqtrack' {
  interface TrackEvents {
    /** About Order Completed. */
    "Order Completed": {
      /** As in the shop. */
      "order_id": string
      "revenue"?: number | null
      "ordered_at"?: string
      "items": Array<{
        "sku": string
      }>
    }
  }
}
`)
  })

  it('writes it to a file that compiles, against which handlers are checked', async () => {
    const folder = folderWith({ 'plan.json': { data: { rules } } })
    const out = join(folder, 'events.ts')
    expect(await plan(folder, 'types', 'plan.json', '--out', 'events.ts')).toMatchObject({
      status: 0,
      stdout: '',
    })
    const use = `
      import type { Track } from 'reqtrack'
      import './events.js'
      export function use(track: Track): void {
        track('Order Completed', { tenant: 'a', order_id: 'A', items: [{ sku: 'x' }] })
        track('it\\'s "odd" \\\\ */', {
          tenant: 'b', 'a-b': 1, pair: ['x', 1], either: { b: true }, list: ['x', null], map: { x: 1 },
          tree: { left: { left: {} } }, any: [1], fixed: 'f',
        })
        // @ts-expect-error: the common rule wants a tenant
        track('Order Completed', { order_id: 'A', items: [] })
        // @ts-expect-error: a number is no id
        track('Order Completed', { tenant: 'a', order_id: 1, items: [] })
        // @ts-expect-error: no such event
        track('Order Complete', {})
        // @ts-expect-error: not one of them
        track('it\\'s "odd" \\\\ */', { tenant: 'a', 'a-b': 'y' })
        // @ts-expect-error: nothing can be there
        track('it\\'s "odd" \\\\ */', { tenant: 'a', 'a-b': 1, none: 1 })
      }
    `
    expect(errorsOf({ [out]: readFileSync(out, 'utf8'), [join(folder, 'use.ts')]: use })).toEqual([])
  })

  it('takes the latest version of an event, and a contract', async () => {
    const later = {
      ...rule('TRACK', 'Order Completed', { properties: { later: { type: 'string' } } }),
      version: 2,
    }
    const latest = await plan(folderWith({ 'plan.json': [later, ORDER] }), 'types', 'plan.json')
    expect(latest.stdout).toContain('"later"?: string')
    expect(latest.stdout).not.toContain('order_id')
    const contract = {
      order: {
        complete: { properties: { data: { type: 'object', properties: { id: { type: 'string' } } } } },
        '*': {},
      },
    }
    const { stdout } = await plan(folderWith({ 'c.json': contract }), 'types', 'c.json')
    expect(stdout).toContain('"order complete": {\n      "id"?: string\n    }')
    expect(stdout).toContain('// TypeScript has no word for events such as "order *".')
  })

  it('exits with 1 for rules that are none', async () => {
    const { status, stderr } = await plan(
      folderWith({ 'plan.json': [{ type: 'TRACK' }] }),
      'types',
      'plan.json',
    )
    expect(status).toBe(1)
    expect(stderr).toContain('[0].key: missing')
  })
})

describe('npx reqtrack plan check', () => {
  it('exits with 0 where nothing is wrong', async () => {
    const { status, lines } = await plan(folderWith({ 'plan.json': [ORDER, COMMON] }), 'check', 'plan.json')
    expect({ status, lines }).toEqual({ status: 0, lines: ['plan.json: 1 event, nothing wrong'] })
  })

  it('lists what cannot be enforced', async () => {
    const context = { type: 'object', required: ['userAgent'] }
    const rules = [
      rule('TRACK', 'A', { properties: { n: { type: 'string', format: 'iban' } } }),
      rule(
        'COMMON',
        null,
        {},
        { properties: { context, traits: {}, properties: {} }, required: ['userId', 'context'] },
      ),
      rule('IDENTIFY', null, {}, { not: {}, properties: { traits: {}, properties: { required: ['x'] } } }),
      rule(
        'TRACK',
        'B',
        {},
        { properties: { context: { type: 'object' }, traits: { type: 'object', properties: {} } } },
      ),
    ]
    const folder = folderWith({ 'plan.json': rules })
    const found = await plan(folder, 'check', 'plan.json')
    expect(found.status).toBe(1)
    expect(found.lines).toEqual([
      '[0].jsonSchema.properties.properties.properties.n.format: cannot be enforced: the format "iban" is not known',
      '[1].jsonSchema.properties.context: cannot be enforced: a handler does not give it',
      '[1].jsonSchema.required: cannot be enforced: a handler does not give userId',
      '[2].jsonSchema.properties.properties: cannot be enforced: a handler does not give it',
      '[2].jsonSchema.not: cannot be enforced: it is about the whole call, of which a handler gives a part',
      'plan.json: 2 events, 5 to look at',
    ])
    expect(await plan(folder, 'check', 'plan.json', '--allow-unenforced')).toMatchObject({
      status: 0,
      lines: found.lines,
    })
  })

  it('lists it of a contract, too', async () => {
    const contract = {
      order: { complete: { properties: { data: { required: ['id'] }, user: { required: ['id'] } } } },
    }
    const { status, lines } = await plan(folderWith({ 'c.json': contract }), 'check', 'c.json')
    expect(status).toBe(1)
    expect(lines[0]).toBe(
      '["order complete"].properties.user: cannot be enforced: a handler does not give it',
    )
  })

  it('lists names that two rules claim, and what is no rule or no schema', async () => {
    const rules = [
      ORDER,
      { ...ORDER, version: 3 },
      { type: 'TRACK', key: 'x' },
      rule('TRACK', 'y', { type: 'strng' }),
    ]
    const { status, lines } = await plan(folderWith({ 'plan.json': { rules } }), 'check', 'plan.json')
    expect(status).toBe(1)
    expect(lines).toEqual([
      'rules[2].jsonSchema: missing, expected a JSON Schema',
      expect.stringContaining('rules[3].jsonSchema: no JSON Schema that ajv can take'),
      'rules[1]: a second rule for "Order Completed" (version 3, and 1 there), the first is rules[0]: keep one of them',
      'plan.json: 2 events, 3 to look at',
    ])
  })

  const mapping = {
    order: {
      complete: { name: 'Order Completed' },
      compelte: { name: 'Order Compelted' },
      '*': { name: 'Order' },
    },
    Order: { Completed: {} },
    page: { view: [{ condition: {}, name: 'Nowhere' }, { ignore: true }] },
    debug: { '*': { ignore: true } },
  }

  it.each([
    ['config.json', JSON.stringify({ settings: {}, mapping })],
    ['config.mjs', `export const config = ${JSON.stringify({ mapping })}`],
    ['config.cjs', `module.exports = ${JSON.stringify({ mapping })}`],
    ['mapping.mjs', `export const mapping = ${JSON.stringify(mapping)}`],
  ])('lists mapping rules of %s that lead nowhere', async (name, text) => {
    const folder = folderWith({ 'plan.json': [ORDER], [name]: text })
    const { status, lines, stderr } = await plan(folder, 'check', 'plan.json', '--config', name)
    expect(status, stderr).toBe(1)
    expect(lines).toEqual([
      'mapping.order.compelte: leads nowhere: the plan has no event for it, and none is called "Order Compelted"',
      'mapping.order.*: leads nowhere: the plan has no event for it, and none is called "Order"',
      'mapping.page.view: leads nowhere: the plan has no event for it, and none is called "Nowhere"',
      'plan.json: 1 event, 3 to look at',
    ])
  })

  it.each([
    ['lines', 'Order Completed\r\n\nOrder Refunded\nOrder Refunded\npage view\n'],
    [
      'lines of JSON',
      '{"event":"Order Completed"}\n{"name":"Order Refunded"}\n{"type":"identify"}\n{"name":"page view"}',
    ],
    ['a list', '["Order Completed",{"event":"Order Refunded"},{"name":"page view"},5]'],
  ])('lists events that no rule and no plan knows, from %s', async (_, text) => {
    const folder = folderWith({
      'plan.json': [ORDER],
      'events.txt': text,
      'config.json': { mapping: { page: { '*': { ignore: true } } } },
    })
    const args = ['check', 'plan.json', '--events', 'events.txt', '--config', 'config.json']
    const { status, lines } = await plan(folder, ...args)
    expect(status).toBe(1)
    expect(lines).toEqual([
      '"Order Refunded": neither the plan nor a mapping rule knows this event',
      'plan.json: 1 event, 1 to look at',
    ])
  })
})
