import type { FastifyInstance } from 'fastify'
import { closeClient, kindOf } from './clients/client-kind.ts'
import { createIoredisClient } from './clients/ioredis.ts'
import { FST_RSP_REDIS_CLIENT_UNKNOWN, FST_RSP_REDIS_TWICE } from './errors.ts'
import type { ResolvedRedisOptions } from './options.ts'

/** The client from which the link's connections are made, and which the app finds at `fastify.redis`. */
export interface AppClient {
  readonly client: object
  /** Whether it is ours to close. */
  readonly owned: boolean
  /** It is at `fastify.redis` already. */
  readonly decorated: boolean
}

/**
 * By precedence: the given client, one made of a url or of options of ioredis, the one that @fastify/redis has left.
 * @returns undefined when there is none
 * @throws FST_RSP_REDIS_CLIENT_UNKNOWN
 */
export function appClient (fastify: FastifyInstance, options: ResolvedRedisOptions): AppClient | undefined {
  const { client, url, redis, closeClient, namespace, embedded } = options
  if (client !== undefined) return { client: known(client), owned: closeClient, decorated: false }
  if (url !== undefined || redis !== undefined) return { client: createIoredisClient(url, redis), owned: true, decorated: false }
  const existing = embedded ? undefined : decoration(fastify, namespace)
  return existing === undefined ? undefined : { client: known(existing), owned: closeClient, decorated: true }
}

/** Puts the client where @fastify/redis would put it. */
export function decorateRedis (fastify: FastifyInstance, client: object | null, namespace: string | undefined): void {
  if (namespace === undefined) {
    if (fastify.hasDecorator('redis')) throw new FST_RSP_REDIS_TWICE()
    fastify.decorate('redis', client as never)
    return
  }
  if (!fastify.hasDecorator('redis')) fastify.decorate('redis', Object.create(null) as never)
  const namespaces = fastify.redis as unknown as Record<string, object | null>
  if (namespaces[namespace] !== undefined) throw new FST_RSP_REDIS_TWICE()
  namespaces[namespace] = client
}

/** Ends the app's client, if it is ours. */
export async function endAppClient ({ client, owned }: AppClient): Promise<void> {
  if (owned) await closeClient(client)
}

function decoration (fastify: FastifyInstance, namespace: string | undefined): object | undefined {
  if (!fastify.hasDecorator('redis')) return undefined
  const redis = fastify.redis as unknown as Record<string, object> | null
  return (namespace === undefined ? redis : redis?.[namespace]) ?? undefined
}

function known (client: object): object {
  if (kindOf(client) !== undefined) return client
  throw new FST_RSP_REDIS_CLIENT_UNKNOWN(Object.getPrototypeOf(client) === null
    ? 'fastify.redis holds clients by name, so one must be named by the option namespace'
    : `an object of class ${client.constructor.name}`)
}
