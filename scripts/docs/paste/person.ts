import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { createSegmentServer, formatCall, type SegmentServer } from '../../../src/testing/index.js'
import { run } from '../../run-command.js'
import { contains } from '../matches.js'
import type { Page } from '../pages.js'
import type { Problem } from '../problem.js'
import { type Deed, deedsOf, type Outcome } from './deeds.js'
import { HANDLER, packagesIn, pasted, withYours } from './merge.js'
import { type Project, writeCurlrc } from './project.js'
import { type Started, start } from './started.js'

const START_MS = 30_000
const WAIT_MS = 8_000
/** Longer than a batch is gathered. */
const SETTLE_MS = 600
/** What does not go with an application: where Segment's stand-in listens, and what was said to curl. */
const KEPT = new Set(['segment', '8787', '.curlrc'])
/** The last line of an application: all above it has run. */
const MARK = "\nReflect.get(globalThis, 'pasted')?.()\n"
/** A comment such as `// … the rest …` stands for code that only the reader has. */
const INCOMPLETE = /^\s*\/\/ …/m

/** An application as it stood after a block was put into it. */
export interface Version {
  readonly page: string
  readonly line: number
  readonly text: string
}

/** What came of following a page. */
export interface Followed {
  readonly page: string
  readonly problems: readonly Problem[]
  readonly versions: readonly Version[]
  readonly applications: number
  readonly compared: number
}

/**
 * Does what a page says, in order, in a project of its own.
 *
 * @param application - What parts go into while the page has no application: that of Getting started.
 */
export async function follow(page: Page, project: Project, application: string): Promise<Followed> {
  const segment = await createSegmentServer()
  for (const port of ['segment', '8787']) {
    writeFileSync(join(project.state, port), new URL(segment.url).port)
  }
  const person = new Person(page, project, segment, application)
  try {
    return await person.follow()
  } finally {
    await segment.close()
  }
}

/** What is run: it is saved and pasted into. */
interface Application {
  readonly file: string
  readonly text: string
  readonly command: string
}

class Person {
  readonly #page: Page
  readonly #project: Project
  readonly #segment: SegmentServer
  readonly #problems: Problem[] = []
  readonly #versions: Version[] = []
  readonly #terminals: Started[] = []
  #app: Started | undefined
  #application: Application
  /** What was asked of the application: it is asked again when it has changed. */
  readonly #requests: string[] = []
  #answered = ''
  /** The line of the last block that was pasted since the application was started. */
  #changed: number | undefined
  /** How much of each terminal had been written before the last deed. */
  #read = new Map<Started, number>()
  #isLeftOut = false
  /** Whether what runs is not the page's application, but a file beside it. */
  #isAside = false
  /** Whether the application did not start: that was told, and nothing can be asked of it. */
  #isBroken = false
  #applications = 0
  #compared = 0

  constructor(page: Page, project: Project, segment: SegmentServer, application: string) {
    this.#page = page
    this.#project = project
    this.#segment = segment
    this.#application = { file: 'app.ts', text: application, command: 'npx tsx app.ts' }
  }

  async follow(): Promise<Followed> {
    for (const deed of deedsOf(this.#page)) {
      try {
        await this.#do(deed)
      } catch (error) {
        this.#problem(deed.line, error instanceof Error ? error.message : String(error))
      }
    }
    await this.#refresh()
    await this.#app?.end()
    for (const terminal of this.#terminals) await terminal.end()
    return {
      page: this.#page.path,
      problems: this.#problems,
      versions: this.#versions,
      applications: this.#applications,
      compared: this.#compared,
    }
  }

  async #do(deed: Deed): Promise<void> {
    if (deed.kind === 'save' || deed.kind === 'paste') {
      const needsRedis = deed.text.includes('process.env.REDIS_URL')
      this.#isLeftOut = INCOMPLETE.test(deed.text) || (needsRedis && process.env.REDIS_URL === undefined)
    }
    if (this.#isLeftOut) return
    if (deed.kind === 'save') return this.#save(deed)
    if (deed.kind === 'paste') return this.#paste(deed)
    if (deed.kind === 'stop') return this.#app?.end()
    if (deed.kind === 'type') return this.#typeAnew(deed.text, deed.line)
    // Where a page shows configurations and what its one handler comes to with each, docs-check.ts asks.
    if (/^function handler\(/m.test(this.#page.text)) return
    if (deed.what !== 'prints' && !this.#isAside) await this.#refresh()
    if (!this.#isBroken) await this.#compare(deed)
  }

  async #save({ file, text, start, line, isAside }: Deed & { kind: 'save' }): Promise<void> {
    await this.#install(text, line)
    if (start === undefined) return this.#write(file, text)
    const before: Application = this.#application
    this.#application = { file, text, command: start }
    this.#applications++
    await this.#restart(line)
    if (isAside) {
      this.#application = before
      this.#isAside = true
    } else {
      this.#requests.length = 0
    }
  }

  async #paste({ text, line, throws }: Deed & { kind: 'paste' }): Promise<void> {
    const before = this.#application
    await this.#install(text, line)
    this.#application = { ...before, text: pasted(before.text, text) }
    this.#versions.push({ page: this.#page.path, line, text: withYours(this.#application.text) })
    if (throws) {
      await this.#restart(line, true)
      this.#application = before
      this.#isAside = true
      return
    }
    this.#changed = line
    this.#isAside = false
    const [, port] = /\.listen\((\d+)|\bport: (\d+)/.exec(this.#application.text)?.filter(Boolean) ?? []
    if (this.#application.text.includes(HANDLER)) this.#requests.push(`curl localhost:${port}${HANDLER}`)
  }

  /** Starts the application again, if something was pasted since it was started, and asks what was asked of it before. */
  async #refresh(): Promise<void> {
    const line = this.#changed
    if (line === undefined) return
    await this.#restart(line)
    if (this.#isBroken || this.#requests.length === 0) return
    await this.#type(this.#requests.join('\n'), line)
    await setTimeout(SETTLE_MS)
  }

  /** Where a page has no word about installing, a reader installs what is imported. */
  async #install(text: string, line: number): Promise<void> {
    if (this.#page.text.includes('npm install')) return
    const packages = packagesIn(text)
    if (packages.length > 0) await this.#type(`npm install ${packages.join(' ')}`, line)
  }

  async #restart(line: number, throws = false): Promise<void> {
    await this.#app?.end()
    const { state, folder, env } = this.#project
    const { file, text, command } = this.#application
    const started = join(state, 'started')
    for (const each of readdirSync(state)) if (!KEPT.has(each)) rmSync(join(state, each))
    this.#write(file, withYours(text) + MARK)
    this.#forget()
    const app = start(command, folder, env)
    this.#app = app
    this.#isBroken = true
    this.#changed = undefined
    this.#isAside = false
    const isThere = await app.until(started, START_MS)
    if (!isThere) this.#problem(line, `${command} has not come to the last line of the file`)
    else if (app.failed() && !throws)
      this.#problem(line, `${command} fails:\n${app.output().slice(0, 2_000)}`)
    else if (throws && !app.failed()) this.#problem(line, 'the page says that this throws, and it does not')
    else this.#isBroken = false
  }

  async #typeAnew(text: string, line: number): Promise<void> {
    if (text.includes('curl ')) {
      if (this.#isAside && this.#changed === undefined) this.#changed = line
      await this.#refresh()
      if (this.#isBroken) return
      this.#requests.push(text)
    }
    this.#forget()
    await this.#type(text, line)
  }

  async #type(text: string, line: number): Promise<void> {
    const stays = text.split('\n').filter((each) => /^npx reqtrack (?:sink|relay)\b/.test(each))
    for (const each of stays) await this.#leaveRunning(each)
    const rest = text
      .split('\n')
      .filter((each) => !stays.includes(each) && each !== this.#application.command)
      .join('\n')
    if (rest.trim() === '') return
    writeCurlrc(this.#project)
    const { folder, env } = this.#project
    try {
      const { stdout } = await run('bash', ['-e', '-c', rest], folder, {
        env,
        timeout: 60_000,
      })
      this.#answered = stdout.replace(/\n\n/g, '\n')
    } catch (error) {
      this.#problem(line, error instanceof Error ? error.message : String(error))
    }
  }

  async #leaveRunning(line: string): Promise<void> {
    const { folder, env, state } = this.#project
    rmSync(join(state, '8787'), { force: true })
    const terminal = start(line, folder, env)
    this.#terminals.push(terminal)
    if (!(await terminal.until(join(state, '8787'), START_MS)) || terminal.failed()) {
      throw new Error(`${line} does not listen:\n${terminal.output()}`)
    }
  }

  async #compare({ what, text, line }: Deed & { kind: 'compare' }): Promise<void> {
    this.#compared++
    let actual = ''
    for (const end = performance.now() + WAIT_MS; performance.now() < end; ) {
      actual = this.#actual(what)
      if (contains(text.trimEnd(), actual)) return
      await setTimeout(25)
    }
    this.#problem(line, `really is:\n${actual}`)
  }

  #actual(what: Outcome): string {
    // Node says the code of its own errors, too.
    if (what === 'error') return (this.#app?.output() ?? '').replace(/ \[ERR_\w+\](?=:)/g, '')
    if (what === 'prints') return this.#answered
    const written = (each: Started) => each.output().slice(this.#read.get(each) ?? 0)
    if (what === 'calls') {
      return [...this.#segment.calls.map(formatCall), ...this.#terminals.map(written)].join('\n')
    }
    return `${this.#answered}\n${this.#app ? written(this.#app) : ''}`
  }

  #forget(): void {
    this.#segment.clear()
    this.#answered = ''
    for (const each of [...this.#terminals, ...(this.#app ? [this.#app] : [])]) {
      this.#read.set(each, each.output().length)
    }
  }

  #write(file: string, text: string): void {
    const path = join(this.#project.folder, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }

  #problem(line: number, message: string): void {
    this.#problems.push({ page: this.#page.path, line, message })
  }
}
