import { openNodeRedis } from '@respite/testing'
import { createClient } from 'redis'
import t from 'tap'
import { createNodeRedisAdapter } from '../../src/clients/node-redis.ts'
import { busContract } from '../contracts/bus.ts'
import { redisBusContract } from '../contracts/redis-bus.ts'
import { instanceOver } from '../instance.ts'

const { client } = await openNodeRedis(t, createClient)
const instance = async (errors?: object[]) => (await instanceOver(t, createNodeRedisAdapter(client), { errors })).bus

busContract(t, { instance })
redisBusContract(t, {
  instance,
  publishRaw: (topic, text) => client.sendCommand(['PUBLISH', `respite:v1:bus:{${topic}}`, text]),
  killSubscribers: () => client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'PUBSUB'])
})
