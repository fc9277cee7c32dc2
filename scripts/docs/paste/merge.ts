import { readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import ts from 'typescript'
import { root } from '../../entries.js'
import { exportedOf, identifiersOf } from '../names.js'

/** Where a block about a request is asked for. */
export const HANDLER = '/pasted'

/** What an application has that no page can show. */
export const yours = readFileSync(join(root, 'scripts', 'docs', 'yours.ts'), 'utf8')
const yoursNames = exportedOf(parsed(yours)).map(([name]) => name)

/** An application with an import of what is its owner's. */
export function withYours(text: string): string {
  const source = parsed(text)
  const there = new Set([
    ...source.statements.flatMap(namesOf),
    ...source.statements.filter(ts.isImportDeclaration).flatMap(importedBy),
  ])
  const used = identifiersOf(source)
  const needed = yoursNames.filter((name) => used.has(name) && !there.has(name))
  return needed.length === 0 ? text : `import { ${needed.join(', ')} } from './yours.ts'\n${text}`
}

/**
 * Pastes a block into a file as a person does: imports go to the top, a declaration takes the place of the one with its
 * name, the rest goes below. A block that speaks of a request goes into a handler.
 */
export function pasted(file: string, block: string): string {
  const there = parsed(file)
  const added = parsed(block)
  const imports = added.statements.filter(ts.isImportDeclaration)
  const body = added.statements.filter((statement) => !ts.isImportDeclaration(statement))
  const declared = new Set(body.flatMap(namesOf))
  const known = new Set(there.statements.filter(ts.isImportDeclaration).flatMap(importedBy))
  const top = imports.flatMap((each) => importWithout(each, known))
  const handled = ['req', 'res'].some((name) => identifiersOf(added).has(name) && isFree(added, name))
  if (handled) {
    const lines = body.map((each) => textOf(each, added)).join('\n')
    const handler = `app.get('${HANDLER}', async (req, res) => {\n${lines}\nif (!res.headersSent) res.end()\n})\n`
    return [...top, file, handler].join('\n')
  }
  const replaced = there.statements.filter((each) => namesOf(each).some((name) => declared.has(name)))
  const last = body.findLastIndex((each) =>
    namesOf(each).some((name) => replaced.some((old) => namesOf(old).includes(name))),
  )
  const [first] = replaced
  const kept = there.statements.flatMap((each) => {
    if (each === first) return body.slice(0, last + 1).map((one) => textOf(one, added))
    if (replaced.includes(each)) return []
    if (ts.isImportDeclaration(each)) return importWithout(each, declared)
    return [textOf(each, there)]
  })
  return [...top, ...kept, ...body.slice(last + 1).map((each) => textOf(each, added))].join('\n')
}

/** @returns The packages that a file imports, without this one. */
export function packagesIn(text: string): string[] {
  const specifiers = parsed(text)
    .statements.filter(ts.isImportDeclaration)
    .map(({ moduleSpecifier }) => moduleSpecifier.getText().slice(1, -1))
  const names = specifiers.map((each) => /^(?:@[^/]+\/)?[^/]+/.exec(each)?.[0] ?? '')
  return [...new Set(names)].filter(
    (name) => !/^(?:node:.*|\.*|reqtrack)$/.test(name) && !builtinModules.includes(name),
  )
}

function parsed(text: string): ts.SourceFile {
  return ts.createSourceFile('app.ts', text, ts.ScriptTarget.Latest, true)
}

function textOf(node: ts.Node, source: ts.SourceFile): string {
  return source.text.slice(node.getFullStart(), node.end)
}

/** @returns The names that a statement declares at the top of its file. */
function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) => boundBy(name))
  }
  const isNamed =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement)
  return isNamed && statement.name ? [statement.name.text] : []
}

function boundBy(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text]
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? boundBy(element.name) : []))
}

function importedBy({ importClause }: ts.ImportDeclaration): string[] {
  const { name, namedBindings } = importClause ?? {}
  const named = namedBindings && ts.isNamedImports(namedBindings) ? namedBindings.elements : []
  return [...(name ? [name.text] : []), ...named.map((element) => element.name.text)]
}

/** The import without names that are there by another one. */
function importWithout(statement: ts.ImportDeclaration, known: ReadonlySet<string>): string[] {
  const { importClause, moduleSpecifier } = statement
  const { name, namedBindings } = importClause ?? {}
  if (!importClause || (namedBindings && ts.isNamespaceImport(namedBindings))) return [statement.getText()]
  const isType = importClause.phaseModifier === ts.SyntaxKind.TypeKeyword ? 'type ' : ''
  const named = namedBindings ? namedBindings.elements.filter((each) => !known.has(each.name.text)) : []
  const parts = [
    ...(name && !known.has(name.text) ? [name.text] : []),
    ...(named.length > 0 ? [`{ ${named.map((each) => each.getText()).join(', ')} }`] : []),
  ]
  const isEmpty = namedBindings && namedBindings.elements.length === 0
  if (parts.length === 0 && !isEmpty) return []
  return [`import ${isType}${isEmpty ? '{}' : parts.join(', ')} from ${moduleSpecifier.getText()}`]
}

/** Whether a name is used and nowhere in the block declared, be it as a parameter. */
function isFree(source: ts.SourceFile, name: string): boolean {
  let isBound = false
  const look = (node: ts.Node): void => {
    if ((ts.isParameter(node) || ts.isVariableDeclaration(node)) && boundBy(node.name).includes(name))
      isBound = true
    ts.forEachChild(node, look)
  }
  look(source)
  return !isBound
}
