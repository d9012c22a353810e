import { openNodeRedis } from '@respite/testing'
import { createClient } from 'redis'
import t from 'tap'
import { blockContract } from '../contracts/blocks.ts'
import { leaseContract } from '../contracts/leases.ts'
import { redisStoreContract } from '../contracts/redis-store.ts'
import { passingSlotContract, slotContract } from '../contracts/slots.ts'
import { banContract } from '../contracts/bans.ts'
import { passingContract, storeContract } from '../contracts/store.ts'
import { connected, storesOver } from '../linked.ts'

const { client } = await openNodeRedis(t, createClient)
const second = client.duplicate()
await second.connect()
const app = await connected({ client })
const other = await connected({ client: second })
t.teardown(async () => {
  await Promise.all([app.close(), other.close()])
  second.destroy()
})

storeContract(t, storesOver(() => app.respite.link, () => other.respite.link))
passingContract(t, storesOver(() => app.respite.link))
banContract(t, storesOver(() => app.respite.link, () => other.respite.link))
slotContract(t, storesOver(() => app.respite.link, () => other.respite.link))
blockContract(t, storesOver(() => app.respite.link, () => other.respite.link))
leaseContract(t, storesOver(() => app.respite.link, () => other.respite.link))
passingSlotContract(t, storesOver(() => app.respite.link))
redisStoreContract(t, () => app.respite.link, (command, ...args) => client.sendCommand([command, ...args.map(String)]))
