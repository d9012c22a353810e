import { Ajv, type SchemaObject } from 'ajv'
import { inspect } from 'node:util'
import { type Duration, durationMs } from '../duration.ts'
import { FST_RSP_OPTION_INVALID } from '../errors.ts'
import { isPromiseLike } from '../promise-like.ts'

/** What zod, valibot, arktype and others offer under `~standard`. @see https://standardschema.dev */
export interface StandardSchema<T = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<T> | Promise<StandardResult<T>>
    readonly types?: { readonly input: unknown, readonly output: T } | undefined
  }
}

type StandardResult<T> =
  | { readonly value: T, readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string, readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined }[] }

/** A value that fits, or why it does not: places and rules, never what was there. */
export type Checked<T> = { readonly value: T } | { readonly misfit: string }

/** What the messages of a topic must look like, and whether they are kept. */
export interface TopicOptions<T> {
  /** A JSON schema, or a schema of zod, valibot, arktype, … */
  schema?: SchemaObject | StandardSchema<T>
  /** Instead of a schema: whether a value fits. */
  validate?: ((value: unknown) => value is T & {}) | ((value: unknown) => boolean | PromiseLike<boolean>)
  /**
   * Messages are kept: at least `maxLength` of them (1 to 10,000,000), for `keep` (up to a year) after the last one, and what is not said here as the bus's
   * options `maxLength` and `keepMs` say. @default false
   */
  durable?: boolean | { maxLength?: number, keep?: Duration }
}

/** A topic with the type of its messages: what does not fit is neither sent nor handed over. */
export interface TypedTopic<T> {
  readonly name: string
  /** Whether its messages are kept. */
  readonly durable: boolean
  /** How many are kept at least; undefined: as many as the bus says. */
  readonly maxLength: number | undefined
  /** How long they are kept after the last one; undefined: as long as the bus says. */
  readonly keepMs: number | undefined
  check (value: unknown): Checked<T> | Promise<Checked<T>>
}

/** A year, as for the bus's own `keepMs`. */
const longestKeepMs = 31_536_000_000

/**
 * Names a topic once, with the type of its messages and what they must look like.
 * @throws FST_RSP_OPTION_INVALID, FST_RSP_DURATION_INVALID
 */
export function defineTopic<T = unknown> (name: string, options: TopicOptions<T> = {}): TypedTopic<T> {
  refuseUnknown(options, ['schema', 'validate', 'durable'], '')
  const { schema, validate, durable = false } = options
  if (typeof name !== 'string') throw invalid('name', 'must be a string', name)
  if (schema !== undefined && validate !== undefined) throw invalid('validate', 'is one too many beside schema', validate)
  if (validate !== undefined && typeof validate !== 'function') throw invalid('validate', 'must be a function', validate)
  if (typeof durable !== 'boolean' && (typeof durable !== 'object' || durable === null)) throw invalid('durable', 'must be a boolean or an object', durable)
  return Object.freeze({ name, durable: durable !== false, ...boundsOf(durable), check: checkOf<T>(schema, validate) })
}

function boundsOf (durable: NonNullable<TopicOptions<unknown>['durable']>): Pick<TypedTopic<unknown>, 'maxLength' | 'keepMs'> {
  if (typeof durable === 'boolean') return { maxLength: undefined, keepMs: undefined }
  refuseUnknown(durable, ['maxLength', 'keep'], 'durable.')
  const { maxLength, keep } = durable
  if (maxLength !== undefined && (!Number.isInteger(maxLength) || maxLength < 1 || maxLength > 10_000_000)) throw invalid('durable.maxLength', 'must be a whole number from 1 to 10000000', maxLength)
  const keepMs = keep === undefined ? undefined : durationMs(keep, 'durable.keep')
  if (keepMs !== undefined && (keepMs < 1 || keepMs > longestKeepMs)) throw invalid('durable.keep', `must be from 1 to ${longestKeepMs} ms`, keep)
  return { maxLength, keepMs }
}

// What is misspelt would be a topic that keeps another number of messages, or checks none.
function refuseUnknown (options: object, known: readonly string[], place: string): void {
  for (const [option, value] of Object.entries(options)) if (!known.includes(option)) throw invalid(`${place}${option}`, 'is unknown', value)
}

function checkOf<T> (schema: TopicOptions<T>['schema'], validate: TopicOptions<T>['validate']): TypedTopic<T>['check'] {
  if (validate !== undefined) return validateCheck<T>(validate)
  if (schema === undefined) return value => ({ value: value as T })
  // Those of arktype are functions.
  if ((typeof schema === 'object' || typeof schema === 'function') && schema !== null && '~standard' in schema) return standardCheck(schema as StandardSchema<T>)
  if (typeof schema !== 'object' || schema === null) throw invalid('schema', 'must be a JSON schema or a Standard Schema', schema)
  return jsonCheck<T>(schema)
}

function validateCheck<T> (validate: (value: unknown) => boolean | PromiseLike<boolean>): TypedTopic<T>['check'] {
  const checked = (fits: boolean, value: unknown): Checked<T> => fits ? { value: value as T } : { misfit: 'its validate says no' }
  return value => {
    const fits = validate(value)
    return isPromiseLike(fits) ? Promise.resolve(fits).then(fits => checked(fits, value)) : checked(fits, value)
  }
}

function jsonCheck<T> (schema: SchemaObject): TypedTopic<T>['check'] {
  // What it compiles to answers later, and to whoever does not wait everything fits.
  if ((schema as { $async?: unknown }).$async !== undefined) throw invalid('schema', 'must not have $async', schema)
  const ajv = new Ajv({ strict: false, allErrors: false })
  try {
    const fits = ajv.compile<T>(schema)
    return value => fits(value) ? { value } : { misfit: `${fits.errors![0]!.instancePath || 'the message'} ${fits.errors![0]!.message ?? 'is wrong'}` }
  } catch (cause) {
    throw Object.assign(invalid('schema', `is no JSON schema: ${(cause as Error).message}`, schema), { cause })
  }
}

// Their messages may hold the value; the place does not.
function standardCheck<T> ({ '~standard': { validate } }: StandardSchema<T>): TypedTopic<T>['check'] {
  const checked = (result: StandardResult<T>): Checked<T> => result.issues === undefined
    ? { value: result.value }
    : { misfit: result.issues.slice(0, 3).map(({ path = [] }) => `/${path.map(part => String(typeof part === 'object' ? part.key : part)).join('/')}`).join(', ') + ' is not as it should be' }
  return value => {
    const result = validate(value)
    return isPromiseLike(result) ? Promise.resolve(result).then(checked) : checked(result)
  }
}

const invalid = (option: string, complaint: string, value: unknown) => new FST_RSP_OPTION_INVALID('defineTopic', option, complaint, inspect(value, { depth: -1, maxStringLength: 100 }))
