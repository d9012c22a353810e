import { inspect } from 'node:util'
import { Ajv, type ErrorObject, type SchemaObject, type ValidateFunction } from 'ajv'
import { FST_RSP_OPTION_INVALID } from './errors.ts'
import { durationMs } from './duration.ts'

/**
 * Makes the check of a plugin's options: one JSON schema holds every type, bound and default.
 * Beside JSON Schema it knows `instance: 'function' | 'object'` (anything that is one, passed on as it is),
 * `duration: true` (milliseconds or '5m'; becomes milliseconds; `minimumMs`, `maximumMs`), and `secret: true` (the value never reaches a message).
 * @param area - the plugin's name, the beginning of each message
 * @returns a function from what the user gave to frozen, complete options; it throws FST_RSP_OPTION_INVALID
 */
export function defineOptions<Given extends object, Resolved> (area: string, schema: SchemaObject): (given: Given | undefined) => Readonly<Resolved> {
  // Not before it is asked for: a process starts sooner without the checks of what it does not use.
  let validate: ValidateFunction | undefined
  return given => {
    validate ??= ajv.compile({ type: 'object', additionalProperties: false, ...schema })
    const options = copyPlain(given ?? {}) as object
    if (!validate(options)) throw refusal(area, validate.errors!)
    return deepFreeze(options) as Readonly<Resolved>
  }
}

// One for all: each would make the check of schemas themselves anew, which takes longer than that of any options.
const ajv = newAjv()

function newAjv (): Ajv {
  const ajv = new Ajv({ useDefaults: true, allErrors: false, verbose: true, strict: true, strictTypes: false, allowUnionTypes: true, validateSchema: true })
  ajv.addKeyword({
    keyword: 'instance',
    schemaType: 'string',
    validate: (kind: 'function' | 'object', value: unknown) => (kind === 'function' ? typeof value === 'function' : typeof value === 'object') && value !== null,
    errors: false
  })
  ajv.addKeyword({ keyword: 'secret', schemaType: 'boolean' })
  ajv.addKeyword({ keyword: 'minimumMs', schemaType: 'number' })
  ajv.addKeyword({ keyword: 'maximumMs', schemaType: 'number' })
  ajv.addKeyword({
    keyword: 'duration',
    schemaType: 'boolean',
    modifying: true,
    errors: false,
    validate: (_: boolean, value: unknown, parent?: SchemaObject, place?: { parentData: Record<string | number, unknown>, parentDataProperty: string | number }) => {
      try {
        const ms = durationMs(value as number)
        if (ms < (parent?.minimumMs ?? 0) || ms > (parent?.maximumMs ?? Number.MAX_SAFE_INTEGER)) return false
        if (place) place.parentData[place.parentDataProperty] = ms
        return true
      } catch {
        // The error is raised by the caller, with the option's path.
        return false
      }
    }
  })
  return ajv
}

// What says of a value that it is of another kind than this branch of an `anyOf` takes.
const otherKind = new Set(['type', 'enum', 'const', 'instance', 'duration'])

function refusal (area: string, errors: readonly ErrorObject[]): Error {
  // Of a branch that takes the value's kind, what is wrong in it, or deeper, says more than that the others do not.
  const depth = Math.max(...errors.map(depthOf))
  const deepest = errors.filter(each => each.keyword !== 'anyOf' && depthOf(each) === depth)
  const error = deepest.find(each => !otherKind.has(each.keyword)) ?? deepest[0]!
  const base = error.instancePath.slice(1).split('/').filter(Boolean)
  const extra = error.params.additionalProperty ?? error.params.missingProperty
  const path = [...base, ...(extra === undefined ? [] : [extra])].map((name, i) => /^\d+$/.test(name) ? `[${name}]` : (i > 0 ? '.' : '') + name).join('')
  const data = error.keyword === 'additionalProperties' ? (error.data as Record<string, unknown>)[extra] : error.data
  const unknown = error.keyword === 'additionalProperties'
  const secret = (error.parentSchema as { secret?: boolean } | undefined)?.secret === true
  const value = error.keyword === 'required' ? 'nothing' : describe(data, secret || (unknown && typeof data === 'string'))
  return new FST_RSP_OPTION_INVALID(area, path || '(all)', otherKind.has(error.keyword) ? anyOf(deepest) : complaint(error), value)
}

const depthOf = ({ instancePath }: ErrorObject) => instancePath.split('/').length

function anyOf (errors: readonly ErrorObject[]): string {
  const [first, ...others] = new Set(errors.map(complaint))
  return [first, ...others.map(other => other.replace(/^must be /, ''))].join(' or ')
}

// What an object or an array holds may be a secret of one of its options, so it is not shown.
function describe (data: unknown, secret: boolean): string {
  if (Array.isArray(data)) return `an array of ${data.length}`
  if (secret) return typeof data === 'string' ? `a string of ${data.length} characters` : `a value of type ${typeof data}`
  if (!isPlain(data) || Object.keys(data).length === 0) return inspect(data, { depth: -1, maxStringLength: 100, breakLength: Infinity })
  return `an object with ${Object.keys(data).slice(0, 10).join(', ')}`
}

function complaint (error: ErrorObject): string {
  const schema = (error.parentSchema ?? {}) as { minimumMs?: number, maximumMs?: number }
  switch (error.keyword) {
    case 'additionalProperties': return 'is unknown'
    case 'required': return 'is missing'
    case 'enum': return `must be ${error.params.allowedValues.length > 1 ? 'one of ' : ''}${error.params.allowedValues.map((v: unknown) => inspect(v)).join(', ')}`
    case 'const': return `must be ${inspect(error.params.allowedValue)}`
    case 'instance': return `must be of type ${String(error.schema)}`
    case 'duration': return 'must be milliseconds or a duration such as \'90s\'' +
      (schema.minimumMs === undefined ? '' : `, at least ${schema.minimumMs} ms`) + (schema.maximumMs === undefined ? '' : `, at most ${schema.maximumMs} ms`)
    default: return error.message ?? 'is invalid'
  }
}

// Plain objects and arrays are copied, so that defaults never reach the caller's own; clients, pools and functions pass as they are.
function copyPlain (value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyPlain)
  if (!isPlain(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined).map(([k, v]) => [k, copyPlain(v)]))
}

function deepFreeze<T> (value: T): T {
  if (Array.isArray(value) || isPlain(value)) {
    Object.values(value).forEach(deepFreeze)
    Object.freeze(value)
  }
  return value
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)
