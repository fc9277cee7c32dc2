import ts from 'typescript'

/** A name at the top of a module. */
export interface Name {
  readonly isType: boolean
  /** How it is imported by who did not declare it. */
  readonly imported: string
}

/** Names at the top of modules. */
export type Names = ReadonlyMap<string, Name>

/** @returns The statement that imports a name. */
export function importOf(name: string, isType: boolean, specifier: string): string {
  return `import ${isType ? 'type ' : ''}{ ${name} } from '${specifier}'`
}

/** What a module has at its top: `unexported` are the names of its own that it keeps to itself. */
export function topOf(source: ts.SourceFile, file: string) {
  const declared = new Map<string, Name>()
  const imported = new Map<string, Name>()
  const unexported: string[] = []
  for (const statement of source.statements) {
    if (ts.isImportDeclaration(statement)) {
      for (const [name, how] of importsOf(statement)) imported.set(name, how)
    }
    for (const [name, isType] of declarationsOf(statement)) {
      declared.set(name, { isType, imported: importOf(name, isType, `./${file.replace(/\.mts$/, '.mjs')}`) })
      if (!isExported(statement) && !unexported.includes(name)) unexported.push(name)
    }
  }
  return { declared, imported, unexported }
}

function importsOf({ importClause, moduleSpecifier }: ts.ImportDeclaration): [string, Name][] {
  if (!importClause) return []
  const from = `from ${moduleSpecifier.getText()}`
  const isType = importClause.phaseModifier === ts.SyntaxKind.TypeKeyword
  const keyword = isType ? 'import type' : 'import'
  const { name, namedBindings } = importClause
  const names: [string, Name][] = []
  if (name) names.push([name.text, { isType, imported: `${keyword} ${name.text} ${from}` }])
  if (namedBindings && ts.isNamespaceImport(namedBindings)) {
    names.push([
      namedBindings.name.text,
      { isType, imported: `${keyword} ${namedBindings.getText()} ${from}` },
    ])
  }
  if (namedBindings && ts.isNamedImports(namedBindings)) {
    for (const element of namedBindings.elements) {
      const how = {
        isType: isType || element.isTypeOnly,
        imported: `${keyword} { ${element.getText()} } ${from}`,
      }
      names.push([element.name.text, how])
    }
  }
  return names
}

/** @returns What a module of ours exports. */
export function exportedOf(source: ts.SourceFile): [name: string, isType: boolean][] {
  return source.statements.flatMap((statement) => {
    if (
      ts.isExportDeclaration(statement) &&
      statement.exportClause &&
      ts.isNamedExports(statement.exportClause)
    ) {
      return statement.exportClause.elements
        .filter(({ name }) => name.text !== 'default')
        .map((element): [string, boolean] => [element.name.text, statement.isTypeOnly || element.isTypeOnly])
    }
    return isExported(statement) ? declarationsOf(statement) : []
  })
}

function declarationsOf(statement: ts.Statement): [name: string, isType: boolean][] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) =>
      boundNames(name).map((bound): [string, boolean] => [bound, false]),
    )
  }
  if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) {
    return [[statement.name.text, true]]
  }
  if (
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isEnumDeclaration(statement)
  ) {
    return statement.name ? [[statement.name.text, false]] : []
  }
  return []
}

function boundNames(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text]
  return name.elements.flatMap((element) => (ts.isOmittedExpression(element) ? [] : boundNames(element.name)))
}

function isExported(statement: ts.Statement): boolean {
  return (
    ts.canHaveModifiers(statement) &&
    (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
  )
}

/** Names that may be meant for something outside; one that is only declared inside of a function costs an import. */
export function identifiersOf(source: ts.SourceFile): Set<string> {
  const names = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && !isMember(node)) names.add(node.text)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return names
}

function isMember(node: ts.Identifier): boolean {
  const { parent } = node
  return (
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    (ts.isQualifiedName(parent) && parent.right === node) ||
    ((ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodDeclaration(parent)) &&
      parent.name === node) ||
    ts.isImportSpecifier(parent) ||
    ts.isImportClause(parent)
  )
}
