import { startRedis } from '@respite/testing'
import { Redis } from 'ioredis'
import t from 'tap'
import { keyRotationContract } from '../contracts/key-rotation.ts'
import { personalDataContract } from '../contracts/personal-data.ts'
import { redisKeysContract } from '../contracts/redis-keys.ts'
import { storeContract } from '../contracts/store.ts'
import { trackingContract } from '../contracts/tracking.ts'
import { connected, storesOver } from '../linked.ts'

const server = await startRedis()
const client = new Redis(server.port)
const app = await connected({ client })
t.teardown(async () => {
  await app.close()
  client.disconnect()
  await server.stop()
})

storeContract(t, storesOver(app))
trackingContract(t, storesOver(app))
keyRotationContract(t, storesOver(app))
personalDataContract(t, storesOver(app))
redisKeysContract(t, () => app.respite.link, (command, ...args) => client.call(command, ...args))
