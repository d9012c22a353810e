import { startRedis } from '@respite/testing'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { createIoredisAdapter } from '../src/clients/ioredis.ts'
import { messagesOver } from './messages-of.ts'

/** A server of the test's own, which may be frozen and killed, and instances of an app on it. */
export async function serverOf (t: Test) {
  const server = await startRedis()
  const client = new Redis(server.port, '127.0.0.1', { retryStrategy: () => 50 })
  client.on('error', () => {}) // it is killed, and comes back
  t.teardown(async () => {
    client.disconnect()
    await server.stop()
  })
  const instance = async (errors: object[] = []) => await messagesOver(t, createIoredisAdapter(client), { errors })
  return { server, client, instance }
}
