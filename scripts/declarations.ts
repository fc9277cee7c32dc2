import { basename, join } from 'node:path'
import ts from 'typescript'
import { type Entry, root } from './entries.js'
import { inlineWalkerOS } from './walkeros-declarations.js'

/** Says in a CommonJS declaration file that the module meant is the ESM one. */
const AS_ESM = "{ 'resolution-mode': 'import' }"

/**
 * Writes the declarations: the ESM ones as the compiler emits them, and for each entry a CommonJS one that re-exports
 * them, so that an application which imports and requires has one type and not two, and one place to merge into.
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
  program.emit()
  await inlineWalkerOS(outDir)
  for (const entry of library) {
    ts.sys.writeFile(join(outDir, `${entry.stem}.d.cts`), commonJsDeclaration(entry, program))
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

function commonJsDeclaration({ source, stem }: Entry, program: ts.Program): string {
  const checker = program.getTypeChecker()
  const file = program.getSourceFile(source)
  const module = file && checker.getSymbolAtLocation(file)
  if (!module) throw new Error(`src/${stem}.ts exports nothing`)

  const esm = `./${basename(stem)}.js`
  const imported = `import('${esm}', { with: ${AS_ESM} })`
  const types: string[] = []
  const lines: string[] = []
  for (const symbol of checker.getExportsOfModule(module)) {
    const { name } = symbol
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
    if (isTypeOnly(symbol) || !(target.flags & ts.SymbolFlags.Value)) {
      types.push(name)
      continue
    }
    const local = name === 'default' ? '_default' : name
    const exported = name === 'default' ? 'declare' : 'export declare'
    lines.push(`${exported} const ${local}: typeof ${imported}.${name}`)
    if (name === 'default') lines.push('export default _default')
    if (target.flags & ts.SymbolFlags.Type) {
      assertPlain(target, stem)
      lines.push(`export type ${name} = ${imported}.${name}`)
    }
  }
  // Also where there is no type to re-export: it brings in what the entry declares globally and in other modules.
  const reexport = `export type { ${types.join(', ')} } from '${esm}' with ${AS_ESM}`
  return `${[reexport, ...lines].join('\n')}\n`
}

/** `export type { Name }`: whatever the name stands for, there is no value to be had. */
function isTypeOnly(symbol: ts.Symbol): boolean {
  return (symbol.declarations ?? []).some(
    (declaration) =>
      ts.isExportSpecifier(declaration) && (declaration.isTypeOnly || declaration.parent.parent.isTypeOnly),
  )
}

/** A class or a type named as a value has two meanings, which one re-export cannot have: the type gets an alias. */
function assertPlain(symbol: ts.Symbol, stem: string): void {
  for (const declaration of symbol.declarations ?? []) {
    if ('typeParameters' in declaration && declaration.typeParameters) {
      throw new Error(
        `src/${stem}.ts exports ${symbol.name}, value and generic type in one: give the two different names`,
      )
    }
  }
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
