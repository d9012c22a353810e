import { type Duration, durationMs } from '@respite/redis'
import envSchema from 'env-schema'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect, parseEnv } from 'node:util'
import { FST_RSP_APP_ENVIRONMENT } from './errors.ts'

/** What the app is told from outside, checked and complete. */
export interface Environment {
  NODE_ENV: string
  PORT: number
  PAIR_PORTS: number[]
  HOST: string
  LOG_LEVEL: string
  DATA_DIR: string
  REDIS_URL?: string
  REDIS_TLS: boolean
  EMBEDDED: boolean
  DATABASE_URL?: string
  SESSION_SECRET?: string
  TRACKING_KEY?: string
  DASHBOARD_TOKEN?: string
  TRUST_PROXY: string[]
  CACHE_DEFAULT_TTL: Duration
  CACHE_MAX_ITEMS: number
  CACHE_PREFIX: string
  RATE_LIMIT_PER_HOUR?: number
  RATE_LIMIT_BURST?: number
  RATE_LIMIT_ALLOW: string[]
  WEATHER_URL: string
}

/** The folder of the package, wherever the app was started from. */
export const packageFolder = fileURLToPath(new URL('..', import.meta.url))

const secret = { type: 'string', minLength: 32, maxLength: 1024 }
const addresses = { type: 'string', separator: ',', default: '' }

/** Each description ends the sentence "NAME must be …"; the README's table is locked to it by a test. */
export const environmentSchema = {
  type: 'object',
  properties: {
    NODE_ENV: { type: 'string', default: 'development', description: 'a word such as production' },
    PORT: { type: 'integer', minimum: 0, maximum: 65_535, default: 8080, description: 'a port, 0 to 65535; 0 takes a free one' },
    PAIR_PORTS: { type: 'string', pattern: '^\\d{1,5}(,\\d{1,5})*$', separator: ',', default: '0,0', description: 'a comma-separated list of the ports of the servers of start:pair; 0 takes a free one' },
    HOST: { type: 'string', default: 'localhost', description: 'a host name or an address to listen on' },
    LOG_LEVEL: { enum: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], default: 'info', description: 'one of fatal, error, warn, info, debug, trace, silent' },
    DATA_DIR: { type: 'string', default: join(packageFolder, 'data'), description: 'a folder for the SQLite files and the secrets made here' },
    REDIS_URL: { type: 'string', pattern: '^rediss?://', description: 'a URL, redis://… or rediss://…; without it everything is kept in memory' },
    REDIS_TLS: { type: 'boolean', default: false, description: 'true or false; true speaks TLS also to redis://…' },
    EMBEDDED: { type: 'boolean', default: false, description: 'true or false; true allows production without REDIS_URL' },
    DATABASE_URL: { type: 'string', pattern: '^(postgres(ql)?|mysql)://', description: 'a URL, postgres://… or mysql://…; without it SQLite is used' },
    SESSION_SECRET: { ...secret, description: 'a secret of 32 to 1024 characters; without it one is made and kept in DATA_DIR' },
    TRACKING_KEY: { ...secret, description: 'a secret of 32 to 1024 characters; without it one is made and kept in DATA_DIR' },
    DASHBOARD_TOKEN: { ...secret, description: 'a secret of 32 to 1024 characters; without it /dashboard is open at this machine alone' },
    TRUST_PROXY: { ...addresses, description: 'a comma-separated list of addresses and ranges whose X-Forwarded-For is believed' },
    CACHE_DEFAULT_TTL: { type: 'string', pattern: '^[1-9]\\d{0,12}(ms|s|m|h|d)?$', default: '5m', description: 'a duration such as 90s or 5m, up to 365d; a bare number is milliseconds' },
    CACHE_MAX_ITEMS: { type: 'integer', minimum: 1, maximum: 10_000_000, default: 10_000, description: 'a number of entries, 1 to 10000000, kept in the memory of each process' },
    CACHE_PREFIX: { type: 'string', minLength: 1, maxLength: 100, default: 'cache', description: 'a name of 1 to 100 characters; apps that share a Redis and must not share cache entries differ in it' },
    RATE_LIMIT_PER_HOUR: { type: 'integer', minimum: 1, maximum: 1_000_000_000, description: 'a number of requests, 1 or more, an address may make in an hour; without it there is no such limit' },
    RATE_LIMIT_BURST: { type: 'integer', minimum: 1, maximum: 1_000_000_000, description: 'a number of requests, 1 or more, an address may make in a second; without it there is no such limit' },
    RATE_LIMIT_ALLOW: { ...addresses, description: 'a comma-separated list of addresses and ranges that no limit counts' },
    WEATHER_URL: { type: 'string', pattern: '^https?://', default: 'https://api.open-meteo.com', description: 'the URL of the Open-Meteo service' }
  }
} as const

const names = Object.keys(environmentSchema.properties) as Array<keyof Environment>
const secrets = new Set<string>(['REDIS_URL', 'DATABASE_URL', 'SESSION_SECRET', 'TRACKING_KEY', 'DASHBOARD_TOKEN'])

/**
 * Reads `.env` and the variables, the latter first, and checks them; an empty variable counts as not given.
 * @param given - the process's variables; a test hands over its own
 * @throws FST_RSP_APP_ENVIRONMENT with a line for each variable that is wrong
 */
export function readEnvironment (given: NodeJS.ProcessEnv = process.env): Readonly<Environment> {
  const data: Record<string, string> = {}
  for (const source of [dotenv(), given]) for (const name of names) if (source[name]) data[name] = source[name]
  const environment = validate(data)
  const wrong = disagreements(environment)
  if (wrong.length > 0) throw new FST_RSP_APP_ENVIRONMENT(wrong.join('\n'))
  return Object.freeze(environment)
}

/** Where Redis is; undefined: nowhere. */
export function redisUrl ({ REDIS_URL, REDIS_TLS }: Pick<Environment, 'REDIS_URL' | 'REDIS_TLS'>): string | undefined {
  return REDIS_TLS ? REDIS_URL?.replace(/^redis:/, 'rediss:') : REDIS_URL
}

function validate (data: Record<string, string>): Environment {
  try {
    return envSchema<Environment>({ schema: structuredClone(environmentSchema), data: { ...data }, env: false })
  } catch (error) {
    const { errors } = error as { errors?: Array<{ instancePath: string }> }
    if (errors === undefined) throw error
    const wrong = new Set(errors.map(({ instancePath }) => instancePath.slice(1)))
    throw new FST_RSP_APP_ENVIRONMENT([...wrong].map(name => refusal(name as keyof Environment, data[name]!)).join('\n'))
  }
}

function refusal (name: keyof Environment, value: string): string {
  const shown = secrets.has(name) ? `a string of ${value.length} characters` : inspect(value, { maxStringLength: 100 })
  return `${name} must be ${environmentSchema.properties[name].description}; got ${shown}`
}

// What a schema cannot say: addresses, whole URLs, and one variable that asks for another.
function disagreements (environment: Environment): string[] {
  const wrong: string[] = []
  for (const name of ['REDIS_URL', 'DATABASE_URL', 'WEATHER_URL'] as const) {
    const value = environment[name]
    // A Postgres URL may leave the host out: a socket.
    if (value !== undefined && (!URL.canParse(value) || (name !== 'DATABASE_URL' && new URL(value).hostname === ''))) wrong.push(refusal(name, value))
  }
  const ttl = environment.CACHE_DEFAULT_TTL
  environment.CACHE_DEFAULT_TTL = durationMs(/\D/.test(`${ttl}`) ? ttl : Number(ttl))
  if (environment.CACHE_DEFAULT_TTL > durationMs('365d')) wrong.push(refusal('CACHE_DEFAULT_TTL', `${ttl}`))
  environment.PAIR_PORTS = environment.PAIR_PORTS.map(Number)
  if (environment.PAIR_PORTS.some(port => port > 65_535)) wrong.push(refusal('PAIR_PORTS', environment.PAIR_PORTS.join(',')))
  for (const name of ['TRUST_PROXY', 'RATE_LIMIT_ALLOW'] as const) {
    const ranges = environment[name].map(range => range.trim()).filter(Boolean)
    for (const range of ranges) if (!isRange(range)) wrong.push(refusal(name, range))
    environment[name] = ranges
  }
  if (environment.NODE_ENV === 'production' && environment.REDIS_URL === undefined && !environment.EMBEDDED) {
    wrong.push('REDIS_URL must be given in production; EMBEDDED=true says that one process without Redis is meant')
  }
  return wrong
}

function isRange (range: string): boolean {
  const [address = '', bits, ...rest] = range.split('/')
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)]!
  return most > 0 && rest.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most))
}

// The folder the app was started from first: `npm start` at the root finds the root's file.
function dotenv (): NodeJS.ProcessEnv {
  for (const folder of [process.cwd(), packageFolder]) {
    try {
      return parseEnv(readFileSync(join(folder, '.env'), 'utf8')) as NodeJS.ProcessEnv
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return {}
}
