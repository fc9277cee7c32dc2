#!/usr/bin/env node
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { CommandError, InUseError } from './commands/command-error.js'

const USAGE = `reqtrack: look at what a tracking sends, at what it keeps, and at what it should send

  npx reqtrack sink [--port 8787]            a local Segment endpoint that prints calls as they come
  npx reqtrack outbox TARGET                 what waits in an outbox, and what is kept aside: of a directory, or of a Redis
                                             --export    every call as a line of JSON
                                             --retry     what was set aside waits again, as if it were made now
                                             --erase USER_ID, --erase-anonymous ID    nothing of a person is kept
                                             --purge     nothing of anybody is kept
                                             --prefix TEXT    of the keys in Redis. SEGMENT_WRITE_KEY says whose calls
                                             are changed, and finds people in the memory of a fleet
                                             A directory in use can only be looked at: exits with 3
  npx reqtrack relay --redis URL             sends what the web processes of a fleet have written to Redis
                                             --port 9464      serves /healthz, /livez and /metrics; --bind ADDRESS
                                             --keys FILE      several write keys: JSON of names to keys, or one a line
                                             --host URL, --prefix TEXT, --max-in-flight N, --claim-after MS, --timeout MS
                                             The environment has SEGMENT_WRITE_KEY, and may have REDIS_URL, SEGMENT_HOST
  npx reqtrack plan types FILE [--out FILE]  the events of a tracking plan as TypeScript
  npx reqtrack plan check FILE               what is wrong with a tracking plan: exits with 1 if anything is
                                             --config FILE    also rules of its mapping that lead nowhere
                                             --events FILE    also names of events, one a line, that nothing knows
                                             --allow-unenforced    what cannot be enforced is no fault

  npx reqtrack doctor                        what is wrong with an application, in its folder: exits with 1 if anything is
                                             --config FILE    also its configuration, a module or JSON
                                             --cookie TEXT    also what each reader of consent makes of a Cookie header
                                             --send           also whether an event reaches Segment

  npx reqtrack --version

  A tracking plan is Segment's export, or a walkerOS contract: of several contracts in a file --contract NAME.`

process.exitCode = await run(process.argv.slice(2))

async function run(args: string[]): Promise<number> {
  try {
    return await runCommand(args)
  } catch (error) {
    if (error instanceof CommandError) {
      console.error(`reqtrack: ${error.message}\n\n${USAGE}`)
      return 2
    }
    console.error(`reqtrack: ${error instanceof Error ? error.message : error}`)
    return error instanceof InUseError ? 3 : 1
  }
}

/** Each command loads what it needs, so that none has to wait for another's modules. */
async function runCommand(args: string[]): Promise<number> {
  if (args[0] === 'plan') {
    const { planCommand } = await import('./plan/command/command.js')
    return planCommand(args.slice(1), USAGE)
  }
  if (args[0] === 'doctor')
    return (await import('./commands/doctor.js')).doctor(args.slice(1), await version())
  if (args[0] === 'relay') return (await import('./commands/relay.js')).relay(args.slice(1), USAGE)
  if (args[0] === 'outbox') return (await import('./commands/outbox.js')).outbox(args.slice(1), USAGE)
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      port: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
    },
  })
  const [command, ...operands] = positionals
  if (values.help) console.log(USAGE)
  else if (values.version) console.log(await version())
  else if (command === 'sink') return (await import('./commands/sink.js')).sink(operands, values)
  else throw new CommandError(command === undefined ? 'no command given' : `there is no command ${command}`)
  return 0
}

async function version(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  const { version }: { version?: unknown } = JSON.parse(text)
  return String(version)
}
