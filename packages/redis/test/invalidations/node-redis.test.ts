import { openNodeRedis } from '@respite/testing'
import { createClient } from 'redis'
import t from 'tap'
import { createNodeRedisAdapter } from '../../src/clients/node-redis.ts'
import { invalidationsContract } from '../contracts/invalidations.ts'
import { invalidationsOutageContract } from '../contracts/invalidations-outage.ts'
import { instanceOver } from '../instance.ts'

const { client } = await openNodeRedis(t, createClient)
const call = (command: string, ...args: (string | number)[]) => client.sendCommand([command, ...args.map(String)])

invalidationsContract(t, {
  writer: { call, callAll: async (...command) => [await call(...command)] },
  instance: settings => instanceOver(t, createNodeRedisAdapter(client), settings)
})
invalidationsOutageContract(t, {
  instance: (t, port) => instanceOver(t, createNodeRedisAdapter(createClient({ url: `redis://127.0.0.1:${port}` })))
})
