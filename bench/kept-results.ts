import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './bundle.js'
import type { Results } from './report.js'

/** Every major version of Node that results are kept of. */
export const NODES = ['20', '22', '24', '26'] as const

/** What was measured last under a major version of Node; `undefined` if nothing was. */
export function keptResults(node: string): Results | undefined {
  const file = fileOf(node)
  // The suite has written it.
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results) : undefined
}

/** Keeps what a run has measured in place of what was measured of the same before. */
export function keepResults(results: Results): void {
  const node = majorOf(results.node)
  const kept = keptResults(node)
  const measured = Object.entries(results).filter(([, part]) => !Array.isArray(part) || part.length > 0)
  const again = (scenario: string, framework: string) =>
    results.scenarios.some((each) => each.scenario === scenario && each.framework === framework)
  const merged = {
    ...kept,
    ...Object.fromEntries(measured),
    scenarios: [
      ...(kept?.scenarios ?? []).filter(({ scenario, framework }) => !again(scenario, framework)),
      ...results.scenarios,
    ],
  }
  const file = fileOf(node)
  writeFileSync(file, `${JSON.stringify(merged, null, 2)}\n`)
  spawnSync('npx', ['biome', 'format', '--write', file], { cwd: root })
}

function fileOf(node: string): string {
  return join(root, 'bench', `results-node-${node}.json`)
}

function majorOf(version: string): string {
  return version.split('.')[0] ?? version
}
