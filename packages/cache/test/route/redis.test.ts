import { createClient } from 'redis'
import t from 'tap'
import { startRedis } from '@respite/testing'
import { type Where, assemble, coded } from '../assemble.ts'
import { routeContract } from '../contracts/route.ts'

const server = await startRedis()
t.teardown(() => server.stop())

routeContract(t, 'ioredis', keyPrefix => assemble({ url: server.url, keyPrefix, boot: 'wait' }))
// It names patterns, which hashed keys have none of.
routeContract(t, 'msgpack, compressed', keyPrefix => assemble({ url: server.url, keyPrefix, boot: 'wait' }, { ...coded, hashKeys: false }))
routeContract(t, 'node-redis', keyPrefix => assemble({ client: createClient({ url: server.url }), closeClient: true, keyPrefix, boot: 'wait' } as unknown as Where))
