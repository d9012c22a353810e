import { inspect } from 'node:util'
import { FST_RSP_REDIS_CLIENT_UNKNOWN } from '../errors.ts'
import type { Adapter } from './adapter.ts'
import { createIoredisAdapter } from './ioredis.ts'
import type { IoredisClient } from './ioredis-shapes.ts'
import { createNodeRedisAdapter } from './node-redis.ts'

/**
 * The link's own connections, made from whatever client is given.
 * @throws FST_RSP_REDIS_CLIENT_UNKNOWN
 */
export function createAdapter (client: object): Adapter {
  switch (kindOf(client)) {
    case 'ioredis': return createIoredisAdapter(client)
    case 'node-redis': return createNodeRedisAdapter(client)
    default: throw new FST_RSP_REDIS_CLIENT_UNKNOWN(`an object of class ${inspect(client.constructor?.name)}`)
  }
}

/** Told by shape: the client's package may be another copy than ours, or a fork. */
export function kindOf (client: object): Adapter['flavour'] | undefined {
  const { duplicate, sendCommand, disconnect, status, isOpen, getSentinelNode } = client as Record<string, unknown>
  if (typeof duplicate !== 'function' || typeof sendCommand !== 'function') return undefined
  if (typeof status === 'string' && typeof disconnect === 'function') return 'ioredis'
  // A Sentinel of node-redis takes commands in another form, and reads from replicas where it is told to.
  if (typeof isOpen === 'boolean' && getSentinelNode === undefined) return 'node-redis'
  return undefined
}

/** Ends a client in its own way, without waiting long for a server that is not there. */
export async function closeClient (client: object): Promise<void> {
  if (kindOf(client) === 'ioredis') {
    await disconnect(client as IoredisClient)
    return
  }
  const { isOpen, destroy } = client as { isOpen: boolean, destroy (): void }
  if (isOpen) destroy.call(client)
}

function disconnect (client: IoredisClient): Promise<void> {
  return new Promise(resolve => {
    if (client.status === 'end') {
      resolve()
      return
    }
    const timer = setTimeout(resolve, 1_000)
    client.once('end', () => {
      clearTimeout(timer)
      resolve()
    })
    client.disconnect()
  })
}
