import redis, { type RedisOptions } from '@respite/redis'
import { until } from '@respite/testing'
import Fastify, { type FastifyInstance, type FastifyServerOptions, type InjectOptions } from 'fastify'
import type { Test } from 'tap'
import rateLimit, { type RateLimitOptions } from '../src/index.ts'
import { type FakeClock, fakeClock } from './clock.ts'

/** What is around the plugin. */
export interface Around { redis?: RedisOptions, server?: FastifyServerOptions }

/** What the link is registered with: an app of this alone has no limits yet. Closed with the test. */
export async function bareApp (t: Test, { redis: options = { embedded: true }, server = {} }: Around = {}): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify(server)
  t.teardown(() => app.close())
  await app.register(redis, options)
  return app
}

/** An app with limits in memory, whose time passes when the test says so. Users name themselves in a header. */
export async function makeApp (t: Test, options: RateLimitOptions = {}, around: Around = {}): Promise<{ app: FastifyInstance, clock: FakeClock }> {
  const app = await bareApp(t, around)
  const clock = fakeClock()
  Object.assign(app.respite, { clock })
  identify(app)
  await app.register(rateLimit, options)
  return { app, clock }
}

/** The same over a server; ready, and the link is up. */
export async function linkedApp (t: Test, options: RateLimitOptions, link: RedisOptions, routes: (app: FastifyInstance) => void = () => {}): Promise<FastifyInstance> {
  const app = await bareApp(t, { redis: link })
  identify(app)
  // A busy machine is no outage.
  await app.register(rateLimit, { timeoutMs: 2_000, ...options })
  routes(app)
  await app.ready()
  await until('the link to be up', () => app.respite.link.state === 'up')
  return app
}

function identify (app: FastifyInstance): void {
  const userOf = (request: { headers: Record<string, unknown> }) => request.headers['x-user'] as string | undefined
  app.respite.provide('identity', { userId: userOf, subject: userOf })
}

export const served = async () => 'served'

/** The statuses of so many requests, one after the other. */
export async function statuses (app: FastifyInstance, times: number, request: InjectOptions | string): Promise<number[]> {
  const all: number[] = []
  for (let i = 0; i < times; i++) all.push((await app.inject(request)).statusCode)
  return all
}

/** The series of a metric by their labels. */
export async function seriesOf (app: FastifyInstance, name: string): Promise<Record<string, number>> {
  const metric = (await app.respite.metrics.read()).find(one => one.name === name)!
  return Object.fromEntries(Array.from(metric.entries() as Iterable<[string[], { value: number }]>, ([labels, { value }]) => [labels.join(' '), value]))
}
