// Writes the API reference to docs/api: everything that users can import, from the comments that editors show.
import { join } from 'node:path'
import { Application, type TypeDocOptions } from 'typedoc'
import { libraryEntries, root } from './entries.js'

const entries = libraryEntries()
/** What users import, by TypeDoc's name for the module. */
const specifiers = new Map(entries.map(({ stem, specifier }) => [stem.replace(/\/index$/, ''), specifier]))

const options: Partial<TypeDocOptions> = {
  entryPoints: entries.map(({ source }) => source),
  tsconfig: join(root, 'tsconfig.json'),
  out: join(root, 'docs', 'api'),
  // The module of that name is one of several.
  name: 'reqtrack: API reference',
  readme: 'none',
  excludeInternal: true,
  excludePrivate: true,
  disableSources: true,
  skipErrorChecking: true,
  treatWarningsAsErrors: true,
  // Every exported name has a comment; of their members, those whose names do not say it all.
  validation: { notExported: false, invalidLink: true, notDocumented: true },
  requiredToBeDocumented: ['Class', 'Function', 'Interface', 'TypeAlias', 'Variable'],
  intentionallyNotDocumented: [
    ...['get', 'set', 'runAndReturn', 'bind', 'bind.F'].map(
      (name) => `reqtrack/cls-hooked.ClsNamespace.${name}`,
    ),
    'reqtrack/testing.trackingMatchers.__type.toHaveTracked',
    'reqtrack/testing.trackingMatchers.__type.toHaveIdentified',
    'reqtrack/testing.trackingMatchers.__type.toKeepToThePlan',
    'reqtrack.PlainJson.__type.toJSON',
    'reqtrack.EcommerceRule.data.__type.fn',
    'reqtrack/plan.StandardSchema.~standard.__type.validate',
    'reqtrack/testing.SegmentServer.waitFor',
  ],
}

const app = await Application.bootstrap(options)
const project = await app.convert()
if (!project) throw new Error('the sources could not be read')
for (const module of project.children ?? []) module.name = specifiers.get(module.name) ?? module.name
app.validate(project)
await app.generateOutputs(project)
process.exitCode = app.logger.hasWarnings() || app.logger.hasErrors() ? 1 : 0
