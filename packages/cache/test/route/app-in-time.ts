import Fastify, { type FastifyInstance, type InjectOptions } from 'fastify'
import cache, { type CachePluginOptions } from '@respite/cache'
import redis from '@respite/redis'

/** An app whose time only a test moves. */
export interface AppInTime {
  readonly app: FastifyInstance
  pass (ms: number): void
  /** What a client sees of an answer. */
  get (url: string, headers?: Record<string, string>): Promise<Seen>
  inject (options: InjectOptions): Promise<Seen>
}

export interface Seen {
  readonly status: number
  readonly body: string
  readonly state: string
  readonly headers: Record<string, string | undefined>
}

export async function appInTime (t: { teardown (end: () => unknown): void }, options: CachePluginOptions = {}): Promise<AppInTime> {
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(() => app.close())
  await app.register(redis)
  let now = 1_700_000_000_000
  Object.defineProperty(app.respite, 'clock', { value: { wallMs: () => now, monotonicMs: () => now } })
  await app.register(cache, options)
  const inject = async (what: InjectOptions) => {
    const { statusCode, body, headers } = await app.inject(what)
    return { status: statusCode, body, state: String(headers['x-cache']), headers: headers as Record<string, string | undefined> }
  }
  return { app, pass: ms => { now += ms }, get: (url, headers = {}) => inject({ url, headers }), inject }
}
