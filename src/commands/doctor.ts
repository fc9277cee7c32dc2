import { setTimeout } from '../support/clock.js'
import { readArguments } from './arguments.js'
import { readConfigFile } from './doctor/config-file.js'
import { checkConfiguredConsent, checkConsent } from './doctor/consent.js'
import { checkEndpoint } from './doctor/endpoint.js'
import { checkFrameworks } from './doctor/frameworks.js'
import { checkPackages } from './doctor/packages.js'
import { type Finding, lineOfFinding } from './doctor/report.js'

const OLDEST_NODE = 20
/** Milliseconds after which a configuration that keeps the process alive, such as by a server, no longer does. */
const LINGER_MS = 250

/**
 * Runs `npx reqtrack doctor`: looks at an application's folder for what commonly goes wrong. It prints neither a write key nor
 * the value of a cookie.
 *
 * @param args - What follows `doctor`.
 * @param version - The version of this package.
 * @returns 0 if nothing is wrong, else 1.
 */
export async function doctor(args: string[], version: string): Promise<number> {
  const { values } = readArguments({
    args,
    options: { config: { type: 'string' }, cookie: { type: 'string' }, send: { type: 'boolean' } },
  })
  const directory = process.cwd()
  const findings: Finding[] = [nodeFinding(version), checkPackages(directory), checkFrameworks(directory)]
  findings.forEach(print)
  const add = (finding: Finding) => {
    findings.push(finding)
    print(finding)
  }
  const read = values.config === undefined ? undefined : await readConfigFile(values.config)
  add(
    read?.finding ?? {
      state: 'unknown',
      about: 'config',
      lines: ['not looked at: name it with --config FILE'],
    },
  )
  if (values.send) add(await checkEndpoint(read?.config?.settings))
  else add({ state: 'unknown', about: 'endpoint', lines: ['not asked: --send sends one event'] })
  if (values.cookie !== undefined) {
    add(checkConsent(values.cookie))
    if (read?.config) add(await checkConfiguredConsent(read.config, values.cookie))
  } else add({ state: 'unknown', about: 'consent', lines: ["not looked at: give --cookie 'NAME=VALUE; …'"] })
  if (read) setTimeout(() => process.exit(), LINGER_MS).unref()
  return findings.some(({ state }) => state === 'wrong') ? 1 : 0
}

function nodeFinding(version: string): Finding {
  const major = Number.parseInt(process.versions.node, 10)
  const line = `reqtrack ${version} on Node ${process.versions.node}`
  return major >= OLDEST_NODE
    ? { state: 'ok', about: 'node', lines: [line] }
    : { state: 'wrong', about: 'node', lines: [`${line}: it needs Node ${OLDEST_NODE} or newer`] }
}

function print(finding: Finding): void {
  console.log(lineOfFinding(finding))
}
