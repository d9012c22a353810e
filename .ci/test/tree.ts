import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

export const root = fileURLToPath(new URL('../..', import.meta.url))

const skipped = new Set(['node_modules', 'dist', '.tap', 'data', '.git'])

/** All files below a folder of the repository, as paths from its root with `/`. */
export function filesBelow (folder: string): string[] {
  const at = join(root, folder)
  if (!existsSync(at)) return []
  return readdirSync(at).flatMap(name => {
    if (skipped.has(name)) return []
    const path = join(at, name)
    return statSync(path).isDirectory() ? filesBelow(relative(root, path)) : [relative(root, path).split(sep).join('/')]
  }).sort()
}

export const read = (file: string) => readFileSync(join(root, file), 'utf8')

export interface Package {
  /** Folder from the root, such as `packages/cache`. */
  folder: string
  name: string
  manifest: {
    name: string
    version: string
    private?: boolean
    exports?: Record<string, unknown>
    dependencies?: Record<string, string>
    peerDependencies?: Record<string, string>
    peerDependenciesMeta?: Record<string, { optional?: boolean }>
    devDependencies?: Record<string, string>
  }
}

/** Every workspace package. */
export const packages: Package[] = ['packages', 'examples'].flatMap(room =>
  readdirSync(join(root, room)).filter(name => existsSync(join(root, room, name, 'package.json'))).map(name => {
    const manifest = JSON.parse(read(`${room}/${name}/package.json`))
    return { folder: `${room}/${name}`, name: manifest.name, manifest }
  }))

/** The packages that are published. */
export const published = packages.filter(p => p.manifest.private !== true)

/** The published packages that are Fastify plugins over @respite/redis. */
export const plugins = published.filter(p => p.name !== '@respite/redis')

export interface Import {
  /** As written, such as `./store.ts` or `@respite/redis`. */
  specifier: string
  /** Erased at build: leaves no arrow at run time. */
  typeOnly: boolean
}

/** The imports and re-exports of a TypeScript file, dynamic ones included. */
export function importsOf (file: string): Import[] {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true)
  const found: Import[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      found.push({ specifier: node.moduleSpecifier.text, typeOnly: isTypeOnlyImport(node) })
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      const named = node.exportClause && ts.isNamedExports(node.exportClause) ? node.exportClause.elements : undefined
      found.push({ specifier: node.moduleSpecifier.text, typeOnly: node.isTypeOnly || (named?.every(element => element.isTypeOnly) ?? false) })
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword && ts.isStringLiteralLike(node.arguments[0]!)) {
      found.push({ specifier: node.arguments[0].text, typeOnly: false })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

function isTypeOnlyImport ({ importClause }: ts.ImportDeclaration): boolean {
  if (importClause === undefined) return false
  if (importClause.isTypeOnly) return true
  const named = importClause.namedBindings
  return importClause.name === undefined && named !== undefined && ts.isNamedImports(named) && named.elements.every(element => element.isTypeOnly)
}

/** The package a bare specifier belongs to: `@a/b/c` → `@a/b`. */
export const packageOf = (specifier: string) => specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
