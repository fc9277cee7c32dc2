import { join } from 'node:path'
import ts from 'typescript'
import { root } from '../entries.js'
import { type BlockModule, STAND_INS } from './modules.js'
import type { Problem } from './problem.js'

/** Where the modules seem to be: packages are found from here as from anywhere in the repository. */
const FOLDER = join(root, 'docs', '.blocks')
/** What the examples with decorators need, as a NestJS project has it. */
const DECORATORS: ts.CompilerOptions = { experimentalDecorators: true, emitDecoratorMetadata: true }

/** Compiles the modules of all pages as strictly as the sources, and against them. */
export function checkTypes(modules: readonly BlockModule[], standIns: string): Problem[] {
  const options = compilerOptions(standIns)
  const sources = new Map<string, ts.SourceFile>()
  // What one block adds to the types of this package is no other block's business: it gets a program of its own.
  const together = modules.filter(({ augments }) => !augments)
  const alone = modules.filter(({ augments }) => augments)
  return [together, ...alone.map((module) => [module])].flatMap((group) =>
    problemsOf(group, modules, options, sources),
  )
}

/** @returns The module as Node runs it. */
export function toJavaScript({ text, file }: BlockModule): string {
  return ts.transpileModule(text, {
    fileName: file,
    compilerOptions: {
      ...DECORATORS,
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      verbatimModuleSyntax: true,
    },
  }).outputText
}

function compilerOptions(standIns: string): ts.CompilerOptions {
  const path = join(root, 'tsconfig.json')
  const { config } = ts.readConfigFile(path, ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, { ...ts.sys, readDirectory: () => [] }, root)
  return {
    ...options,
    ...DECORATORS,
    noUnusedLocals: false,
    noUnusedParameters: false,
    paths: { ...options.paths, [STAND_INS]: [standIns] },
  }
}

function problemsOf(
  group: readonly BlockModule[],
  all: readonly BlockModule[],
  options: ts.CompilerOptions,
  sources: Map<string, ts.SourceFile>,
): Problem[] {
  const texts = new Map(all.map((module) => [join(FOLDER, module.file), module]))
  const host = ts.createCompilerHost(options)
  const { directoryExists, fileExists, readFile } = host
  host.directoryExists = (folder) => folder === FOLDER || directoryExists?.(folder) === true
  host.fileExists = (file) => texts.has(file) || fileExists(file)
  host.readFile = (file) => texts.get(file)?.text ?? readFile(file)
  const { getSourceFile } = host
  host.getSourceFile = (file, ...rest) => {
    const known = sources.get(file) ?? getSourceFile.call(host, file, ...rest)
    if (known) sources.set(file, known)
    return known
  }
  const program = ts.createProgram(
    group.map(({ file }) => join(FOLDER, file)),
    options,
    host,
  )
  const files = program
    .getSourceFiles()
    .filter(({ fileName }) => group.some(({ file }) => fileName === join(FOLDER, file)))
  const diagnostics = files.flatMap((file) => [
    ...program.getSyntacticDiagnostics(file),
    ...program.getSemanticDiagnostics(file),
  ])
  return [...program.getOptionsDiagnostics(), ...diagnostics].map((diagnostic) =>
    problemOf(diagnostic, texts),
  )
}

function problemOf(diagnostic: ts.Diagnostic, modules: ReadonlyMap<string, BlockModule>): Problem {
  const message = `TS${diagnostic.code}: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n  ')}`
  const { file, start } = diagnostic
  const module = file && modules.get(file.fileName)
  if (!file || !module || start === undefined)
    return { page: file?.fileName ?? 'tsconfig.json', line: 1, message }
  const { line } = file.getLineAndCharacterOfPosition(start)
  return { page: module.block.page, line: module.block.line + line - module.linesBefore, message }
}
