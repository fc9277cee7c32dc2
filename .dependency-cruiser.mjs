// Holds the imports in src/ to the drawing of the house in CONTRIBUTING.md, which is the one list of the floors.
import { readFileSync } from 'node:fs'

const floors = readFloors(readFileSync(new URL('CONTRIBUTING.md', import.meta.url), 'utf8'))

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-circle',
      comment: 'Files that import each other in a circle cannot be understood one at a time.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-way-back-to-a-door',
      comment: 'index.ts, cli.ts and dev.ts are doors for users: nothing inside goes through them.',
      severity: 'error',
      from: {},
      to: { path: '^src/(index|cli|dev)\\.ts$' },
    },
    {
      name: 'every-room-is-in-the-drawing',
      comment: 'A room has its floor in CONTRIBUTING.md, "How the house is built".',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: `${pathOf(floors.flat())}|^src/(index|cli|dev)\\.ts$` },
    },
    {
      name: 'no-plan-on-the-way-of-a-start',
      comment: 'Whoever has no tracking plan loads none: only its types are known on the way of a request.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(plan|inspector)/' },
      to: { path: '^src/plan/', dependencyTypesNot: ['type-only', 'dynamic-import'] },
    },
    ...floors.slice(1).map((rooms, above) => ({
      name: `not-up-from-${rooms.join('-')}`,
      comment: 'Imports go down the drawing in CONTRIBUTING.md, "How the house is built".',
      severity: 'error',
      from: { path: pathOf(rooms) },
      to: { path: pathOf(floors.slice(0, above + 1).flat()) },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    includeOnly: '^src/',
    exclude: '^src/inspector/page/client/',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
}

/** @returns The rooms of each floor, from the top: the names at the beginning of the drawing's lines. */
function readFloors(page) {
  const drawing = /<!-- floors -->\n```text\n([^`]*)```/.exec(page)?.[1]
  if (!drawing)
    throw new Error(
      'CONTRIBUTING.md has no drawing of the floors: expected a text block below <!-- floors -->',
    )
  return drawing
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/)[0].split(', '))
}

/** @returns An expression for the files of rooms; `tracking` is a file. */
function pathOf(rooms) {
  return `^src/(${rooms.join('|')})(/|\\.ts$)`
}
