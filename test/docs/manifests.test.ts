import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { relayOptions } from '../../src/commands/relay/options.js'

/** Kubernetes kills a pod after this time where a manifest says nothing else. */
const DEFAULT_GRACE_S = 30
/** What the shutdown of a relay may take by default. */
const SHUTDOWN_S = 10

const page = readFileSync(new URL('../../docs/fleet.md', import.meta.url), 'utf8')
const text = /```yaml\n([^`]*)```/.exec(page)?.[1] ?? ''
const documents = parseAllDocuments(text, { strict: true, uniqueKeys: true })
const manifests: readonly unknown[] = documents.map((document) => document.toJS())

/** What a manifest has at a dotted path. */
function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((place, key) => (isObject(place) ? Reflect.get(place, key) : undefined), value)
}

/** The members of a list at a dotted path. */
function listAt(value: unknown, path: string): readonly unknown[] {
  const list = at(value, path)
  return Array.isArray(list) ? list : []
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

const deployments = manifests.filter((each) => at(each, 'kind') === 'Deployment')
const secret = manifests.find((each) => at(each, 'kind') === 'Secret')
const secrets = at(secret, 'stringData')
const relay = deployments.find((each) => at(each, 'metadata.name') === 'reqtrack-relay')
const CONTAINER = 'spec.template.spec.containers.0'

describe('the Kubernetes manifests of docs/fleet.md', () => {
  it('are YAML without a fault', () => {
    expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([])
    expect(
      manifests.map((each) => [at(each, 'apiVersion'), at(each, 'kind'), at(each, 'metadata.name')]),
    ).toEqual([
      ['v1', 'Secret', 'reqtrack'],
      ['apps/v1', 'Deployment', 'shop-web'],
      ['apps/v1', 'Deployment', 'reqtrack-relay'],
    ])
  })

  it.each(deployments.map((each) => [at(each, 'metadata.name'), each] as const))(
    '%s selects its own pods, and leaves them the time to shut down',
    (_name, deployment) => {
      expect(at(deployment, 'spec.selector.matchLabels')).toEqual(
        at(deployment, 'spec.template.metadata.labels'),
      )
      expect(at(deployment, 'spec.replicas')).toBeGreaterThan(1)
      expect(
        at(deployment, 'spec.template.spec.terminationGracePeriodSeconds') ?? DEFAULT_GRACE_S,
      ).toBeGreaterThan(SHUTDOWN_S)
    },
  )

  it.each(deployments.map((each) => [at(each, 'metadata.name'), each] as const))(
    '%s takes its secrets from the secret, by names that it has',
    (_name, deployment) => {
      const variables = listAt(deployment, `${CONTAINER}.env`)
      expect(variables).toHaveLength(2)
      for (const variable of variables) {
        expect(at(variable, 'value')).toBeUndefined()
        expect(at(variable, 'valueFrom.secretKeyRef.name')).toBe(at(secret, 'metadata.name'))
        expect(Object.keys(isObject(secrets) ? secrets : {})).toContain(
          at(variable, 'valueFrom.secretKeyRef.key'),
        )
      }
    },
  )

  it('start a relay by a command line that it understands, with what the environment has', () => {
    const command = listAt(relay, `${CONTAINER}.command`).map(String)
    expect(command.slice(0, 3)).toEqual(['node', 'node_modules/reqtrack/dist/cli.js', 'relay'])
    const names = listAt(relay, `${CONTAINER}.env`).map((variable) => String(at(variable, 'name')))
    const environment = Object.fromEntries(names.map((name) => [name, 'redis://redis:6379']))
    expect(relayOptions(command.slice(3), environment)).toMatchObject({
      port: at(relay, `${CONTAINER}.ports.0.containerPort`),
      writeKey: 'redis://redis:6379',
      redis: 'redis://redis:6379',
    })
  })

  it('probe the port and the paths that a relay serves', () => {
    const port = at(relay, `${CONTAINER}.ports.0.name`)
    const probe = (name: string) => at(relay, `${CONTAINER}.${name}.httpGet`)
    expect(probe('startupProbe')).toEqual({ path: '/livez', port })
    expect(probe('livenessProbe')).toEqual({ path: '/livez', port })
    expect(probe('readinessProbe')).toEqual({ path: '/healthz', port })
    expect(at(relay, 'spec.template.metadata.annotations')).toEqual({
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': String(at(relay, `${CONTAINER}.ports.0.containerPort`)),
      'prometheus.io/path': '/metrics',
    })
  })
})
