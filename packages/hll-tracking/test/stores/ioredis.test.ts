import t from 'tap'
import { keyRotationContract } from '../contracts/key-rotation.ts'
import { personalDataContract } from '../contracts/personal-data.ts'
import { redisKeysContract } from '../contracts/redis-keys.ts'
import { storeContract } from '../contracts/store.ts'
import { trackingContract } from '../contracts/tracking.ts'
import { connected, redisOf, storesOver } from '../linked.ts'

const { client } = await redisOf(t)
const app = await connected(t, { client })

storeContract(t, storesOver(app))
trackingContract(t, storesOver(app))
keyRotationContract(t, storesOver(app))
personalDataContract(t, storesOver(app))
redisKeysContract(t, () => app.respite.link, (command, ...args) => client.call(command, ...args))
