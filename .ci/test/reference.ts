import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'
import { type Package, published, read, root } from './tree.ts'

/** A JSON schema as the packages write theirs; only what a table shows. */
interface Schema {
  type?: string | string[]
  description?: string
  default?: unknown
  enum?: unknown[]
  const?: unknown
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  minimumMs?: number
  maximumMs?: number
  duration?: boolean
  instance?: string
  secret?: boolean
  properties?: Record<string, Schema>
  items?: Schema
  anyOf?: Schema[]
  oneOf?: Schema[]
}

interface MetricRow { kind: string, name: string, help: string, labels?: readonly string[] }
interface KeyRow { template: string, holds: string, expires: string }

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const table = (head: string[], rows: string[][]) =>
  [head, head.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n')
const load = async (p: Package, file: string) => await import(pathToFileURL(join(root, p.folder, 'src', file)).href)
const made = 'Made from the code by `npm run reference`; a test fails when the two differ.'

async function page (title: string, intro: string, section: (p: Package) => Promise<string>): Promise<string> {
  const sections = []
  for (const p of published) sections.push(`## ${p.name}\n\n${await section(p)}`)
  return `# ${title}\n\n${intro} ${made}\n\n${sections.join('\n\n')}\n`
}

/** Pages of docs/reference, by file name. */
export const pages: Record<string, () => Promise<string>> = {
  'options.md': () => page('Options', 'Every option of every plugin: its type, bounds and default.', async p => {
    const { optionsSchema } = await load(p, 'options.ts') as { optionsSchema: Schema }
    return [optionTable(optionsSchema), ...await Promise.all(subpathsOf(p).map(async path => {
      const { optionsSchema } = await load(p, `${path}/options.ts`) as { optionsSchema: Schema }
      return `### ${p.name}/${path}\n\n${optionTable(optionsSchema)}`
    }))].join('\n\n')
  }),
  'errors.md': () => page('Errors', 'Every code that is thrown, with its HTTP status.', async p =>
    table(['code', 'status', 'message', 'when'], errorRows(`${p.folder}/src/errors.ts`))),
  'metrics.md': () => page('Metrics', 'Every metric, with its labels. All label sets are bounded.', async p => {
    const { metrics } = await load(p, 'metrics.ts') as { metrics: Record<string, MetricRow> }
    return Object.keys(metrics).length === 0
      ? 'None.'
      : table(['metric', 'kind', 'labels', 'what it counts'], Object.values(metrics).map(m => [`\`${m.name}\``, m.kind, (m.labels ?? []).map(l => `\`${l}\``).join(', '), cell(m.help)]))
  }),
  'keys.md': () => page('Keys', 'Every kind of key in Redis. Each begins with `<keyPrefix>:v1:` (`respite:v1:` unless told otherwise); parts in `<>` are percent-encoded; braces are the hash tag of a Cluster.', async p => {
    const { keys } = await load(p, 'keys.ts') as { keys: Record<string, KeyRow> }
    return Object.keys(keys).length === 0
      ? 'None.'
      : table(['key', 'holds', 'expires'], Object.values(keys).map(k => [`\`${k.template}\``, cell(k.holds), cell(k.expires)]))
  })
}

/** Doors of a package that are plugins of their own, such as `compat`. */
const subpathsOf = (p: Package) => Object.keys(p.manifest.exports ?? {}).map(path => path.slice(2)).filter(path => path !== '' && existsSync(join(root, p.folder, 'src', path, 'options.ts')))

const optionTable = (schema: Schema) => table(['option', 'type', 'default', 'what it does'], optionRows(schema, '', 0))

function optionRows (schema: Schema, path: string, depth: number): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, option]) => {
    const at = path + name
    if (option.description === undefined) throw new TypeError(`option ${at} has no description`)
    const shown = option.default === undefined ? '–' : `\`${cell(JSON.stringify(option.default))}\``
    const row = [`\`${at}\``, cell(typeOf(option)), shown, cell(option.description)]
    const choices = [option, option.items, ...(option.anyOf ?? []), ...(option.oneOf ?? [])].map(s => s?.items ?? s)
    const inner = choices.find(s => s?.properties)
    const nested = inner && depth < 3 ? optionRows(inner, `${at}${option.type === 'array' ? '[]' : ''}.`, depth + 1) : []
    return [row, ...nested]
  })
}

function typeOf (schema: Schema): string {
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return [...new Set(choices.map(typeOf))].join(' or ')
  if (schema.enum) return schema.enum.map(value => `\`${JSON.stringify(value)}\``).join(', ')
  if ('const' in schema) return `\`${JSON.stringify(schema.const)}\``
  const base = schema.duration ? 'duration' : schema.instance ?? (Array.isArray(schema.type) ? schema.type.join(' or ') : schema.type ?? 'any')
  const of = schema.items ? ` of ${typeOf(schema.items)}` : ''
  const low = schema.minimum ?? schema.minimumMs ?? schema.minLength ?? schema.minItems
  const high = schema.maximum ?? schema.maximumMs ?? schema.maxLength ?? schema.maxItems
  const unit = schema.duration ? ' ms' : schema.minLength ?? schema.maxLength ? ' characters' : schema.minItems ?? schema.maxItems ? ' items' : ''
  const bounds = [low === undefined ? '' : `≥ ${low}`, schema.exclusiveMinimum === undefined ? '' : `> ${schema.exclusiveMinimum}`, high === undefined ? '' : `≤ ${high}`].filter(Boolean).join(', ')
  return base + of + (bounds && ` (${bounds}${unit})`)
}

/** `createError(code, message, status)` of a file, each with the comment above it. */
function errorRows (file: string): string[][] {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true)
  const rows: string[][] = []
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue
    for (const { initializer } of statement.declarationList.declarations) {
      if (!initializer || !ts.isCallExpression(initializer) || initializer.expression.getText() !== 'createError') continue
      const [code, message, status] = initializer.arguments
      const doc = ts.getJSDocCommentsAndTags(statement).map(d => ts.isJSDoc(d) ? ts.getTextOfJSDocComment(d.comment) ?? '' : '').join(' ')
      if (doc === '') throw new TypeError(`${file}: ${code!.getText()} has no comment`)
      rows.push([`\`${(code as ts.StringLiteral).text}\``, status?.getText() ?? '500', cell((message as ts.StringLiteral).text), cell(doc)])
    }
  }
  return rows
}
