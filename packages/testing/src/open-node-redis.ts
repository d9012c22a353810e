import { startRedis } from './redis-server.ts'
import type { TestEnd } from './test-end.ts'

interface NodeRedis {
  on (event: 'error', listener: () => void): unknown
  connect (): Promise<unknown>
  destroy (): void
}

/**
 * A Redis server and a connected client of node-redis; both end with the test.
 * @param createClient - that of the package's own `redis`: it may be of several versions
 */
export async function openNodeRedis<Client extends NodeRedis> (t: TestEnd, createClient: (options: { url: string }) => Client) {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const client = createClient({ url: server.url })
  client.on('error', () => {}) // a test may end the server before the client
  await client.connect()
  t.teardown(() => client.destroy())
  return { server, client }
}
