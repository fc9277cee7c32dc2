import { basename, join } from 'node:path'
import ts from 'typescript'
import { type Entry, root } from './entries.js'
import { inlineWalkerOS } from './walkeros-declarations.js'

/** The specifier of a file beside or below: what the compiler writes before and after its path. */
const RELATIVE = /((?:from|import|module) ?\(?['"]\.{1,2}\/[^'"]*)\.js(?=['"])/g

/**
 * Writes the declarations: all of them as CommonJS ones, and for each entry an ESM one that re-exports its CommonJS one.
 * So an application which imports and requires has one type and not two, and one place to merge into. The other way round
 * would take an attribute, which no TypeScript before 5.3 reads: ESM may import CommonJS without one.
 * walkerOS's types come along: see {@link inlineWalkerOS}.
 *
 * @param outDir - Where to, absolute.
 * @throws If the sources have type errors.
 */
export async function writeDeclarations(
  library: readonly Entry[],
  commands: readonly Entry[],
  outDir: string,
): Promise<void> {
  const program = ts.createProgram(
    [...library, ...commands].map((entry) => entry.source),
    { ...compilerOptions(), outDir },
  )
  assertNone(ts.getPreEmitDiagnostics(program))
  program.emit(undefined, (file, text) => {
    ts.sys.writeFile(file.replace(/\.d\.ts$/, '.d.cts'), text.replace(RELATIVE, '$1.cjs'))
  })
  await inlineWalkerOS(outDir)
  for (const entry of library) {
    ts.sys.writeFile(join(outDir, `${entry.stem}.d.ts`), esmDeclaration(entry, program))
  }
}

function compilerOptions(): ts.CompilerOptions {
  const file = join(root, 'tsconfig.json')
  const { options, errors } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(file, ts.sys.readFile).config,
    ts.sys,
    root,
  )
  assertNone(errors)
  return {
    ...options,
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: join(root, 'src'),
    // The sources have to do without the mapping by which examples and tests import the package by its name.
    paths: undefined,
  }
}

function esmDeclaration({ source, stem }: Entry, program: ts.Program): string {
  const checker = program.getTypeChecker()
  const file = program.getSourceFile(source)
  const module = file && checker.getSymbolAtLocation(file)
  if (!module) throw new Error(`src/${stem}.ts exports nothing`)

  const commonJs = `'./${basename(stem)}.cjs'`
  const symbols = checker.getExportsOfModule(module)
  const target = (symbol: ts.Symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  const all = `export * from ${commonJs}\n`
  const byDefault = symbols.find(({ name }) => name === 'default')
  if (!byDefault) return all
  // Imported from ESM, the default export of a CommonJS module is the whole of it.
  const named = symbols.find((symbol) => symbol !== byDefault && target(symbol) === target(byDefault))
  if (!named) throw new Error(`src/${stem}.ts exports a default that has no name: export it under one, too`)
  return `${all}export { ${named.name} as default } from ${commonJs}\n`
}

function assertNone(diagnostics: readonly ts.Diagnostic[]): void {
  if (diagnostics.length === 0) return
  throw new Error(
    ts.formatDiagnostics(diagnostics, {
      getCanonicalFileName: (file) => file,
      getCurrentDirectory: () => root,
      getNewLine: () => '\n',
    }),
  )
}
