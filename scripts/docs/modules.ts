import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { libraryEntries } from '../entries.js'
import { exportedOf, identifiersOf, importOf, type Name, type Names, topOf } from './names.js'
import type { Block } from './pages.js'

/** Where blocks find what no block of their page declares. */
export const STAND_INS = 'docs-stand-ins'

/** A TypeScript block made into a module: what it takes from blocks before it is imported, what it declares exported. */
export interface BlockModule {
  readonly block: Block
  /** The file's name without a folder. */
  readonly file: string
  readonly text: string
  /** How many lines of `text` come before the block's own. */
  readonly linesBefore: number
  /** Whether it adds to the types of this package, which must not reach other blocks. */
  readonly augments: boolean
}

/**
 * Makes modules of the TypeScript blocks of a page, each of which sees what the ones before it declared or imported, then
 * the stand-ins, then everything that this package exports.
 *
 * @param literal - Whether an application, which somebody saves as a file, gets nothing that does not stand in it.
 */
export function modulesOf(blocks: readonly Block[], outside: Names, literal = false): BlockModule[] {
  const seen = new Map(outside)
  return blocks
    .filter(({ language }) => language === 'ts')
    .map((block, index) => {
      const file = `${nameOf(block.page)}.${index + 1}.mts`
      const source = ts.createSourceFile(file, block.text, ts.ScriptTarget.Latest, true)
      const { declared, imported, unexported } = topOf(source, file)
      const isFile = literal && isApplication(block)
      const needed = [...(isFile ? [] : identifiersOf(source))].flatMap((name) => {
        const found = declared.has(name) || imported.has(name) ? undefined : seen.get(name)
        return found ? [found.imported] : []
      })
      for (const [name, how] of [...imported, ...declared]) seen.set(name, how)
      return {
        block,
        file,
        text: `${needed.join('; ')}\n${block.text}${exportsOf(unexported, declared)}\n`,
        linesBefore: 1,
        augments: source.statements.some(
          (statement) => ts.isModuleDeclaration(statement) && statement.name.text.startsWith('reqtrack'),
        ),
      }
    })
}

/** Whether a block is to be saved as it is and run: it makes a server, which listens. */
function isApplication({ text }: Block): boolean {
  return (
    text.includes('.listen(') &&
    /\b(?:createServer|express|fastify|Fastify|Koa|NestFactory\.create)\(/.test(text)
  )
}

/** @returns What stand-ins and this package's entries export. */
export function outsideNames(standIns: string): Names {
  const names = new Map<string, Name>()
  const from = (file: string, specifier: string) => {
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
    for (const [name, isType] of exportedOf(source)) {
      if (!names.has(name)) names.set(name, { isType, imported: importOf(name, isType, specifier) })
    }
  }
  from(standIns, STAND_INS)
  for (const { source, specifier } of libraryEntries()) from(source, specifier)
  return names
}

/** @returns A page's name as that of a file: `docs/mapping.md` becomes `docs-mapping`. */
export function nameOf(page: string): string {
  return page.replace(/\.md$/, '').replaceAll('/', '-')
}

function exportsOf(unexported: readonly string[], declared: Names): string {
  const types = unexported.filter((name) => declared.get(name)?.isType)
  const values = unexported.filter((name) => !declared.get(name)?.isType)
  return `export { ${values.join(', ')} }; export type { ${types.join(', ')} }`
}
