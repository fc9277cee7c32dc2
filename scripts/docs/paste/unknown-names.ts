import { join } from 'node:path'
import ts from 'typescript'
import { root } from '../../entries.js'
import type { Problem } from '../problem.js'
import type { Version } from './person.js'

/** A name that nothing declares, or that two declarations have. What types are, docs-check.ts has held already. */
const CODES = new Set([2300, 2304, 2440, 2451, 2503, 2552, 18004])

/** Finds names that no import and no declaration of a file explains: they would fail when their line runs. */
export function unknownNames(versions: readonly Version[]): Problem[] {
  const texts = new Map(versions.map((version, at) => [join(root, `pasted-${at}.ts`), version]))
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.ESNext,
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts'],
    types: ['node'],
    noResolve: false,
    noEmit: true,
  }
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.fileExists = (file) => texts.has(file) || fileExists(file)
  host.getSourceFile = (file, ...rest) => {
    const version = texts.get(file)
    if (version)
      return ts.createSourceFile(file, `${version.text}\nexport {}\n`, ts.ScriptTarget.ES2023, true)
    return getSourceFile.call(host, file, ...rest)
  }
  // Imports are taken at their word.
  host.resolveModuleNameLiterals = (literals, containing) =>
    literals.map(({ text }) => ({
      resolvedModule: texts.has(containing)
        ? undefined
        : ts.resolveModuleName(text, containing, options, ts.sys).resolvedModule,
    }))
  const program = ts.createProgram([...texts.keys()], options, host)
  const told = new Set<string>()
  return program.getSemanticDiagnostics().flatMap(({ code, file, messageText }) => {
    const version = file && texts.get(file.fileName)
    if (!version || !CODES.has(code)) return []
    const message = ts.flattenDiagnosticMessageText(messageText, '\n')
    const key = `${version.page} ${message}`
    if (told.has(key)) return []
    told.add(key)
    return [{ page: version.page, line: version.line, message }]
  })
}
