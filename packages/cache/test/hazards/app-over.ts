import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { randomToken } from '@respite/redis'
import { until } from '@respite/testing'
import type { Cache, CachePluginOptions } from '@respite/cache'
import { type Where, assemble } from '../assemble.ts'

/** An app that is ready; closed with the test. */
export async function appOver (t: Test, where: Where, options: CachePluginOptions = {}): Promise<FastifyInstance> {
  const app = await assemble({ boot: 'wait', ...where }, options)
  t.teardown(() => app.close())
  await app.ready()
  return app
}

/** A prefix of keys that no other test has. */
export const ownPrefix = (): string => `h${randomToken()}`.replace(/\W/g, '')

/** Two apps under a prefix of their own: as two processes they share nothing but Redis. */
export async function pairOver (t: Test, url: string, options: CachePluginOptions = {}): Promise<{ here: FastifyInstance, there: FastifyInstance, keyPrefix: string }> {
  const keyPrefix = ownPrefix()
  return { here: await appOver(t, { url, keyPrefix }, options), there: await appOver(t, { url, keyPrefix }, options), keyPrefix }
}

/** A client that is no part of any app. */
export function strangerAt (t: Test, url: string): Redis {
  const stranger = new Redis(url)
  t.teardown(() => { stranger.disconnect() })
  return stranger
}

/** Reads a key until a local copy of this value is there. */
export function copied (cache: Cache, key: string, value: unknown): Promise<void> {
  return until(`a local copy of '${key}'`, async () => await cache.get(key) === value && cache.getLocal(key) === value)
}
