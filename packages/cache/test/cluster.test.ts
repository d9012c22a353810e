import t from 'tap'
import { randomToken } from '@respite/redis'
import { openCluster } from '@respite/testing'
import { Places, cacheShapes } from '../src/keys.ts'
import { RedisStore } from '../src/stores/redis.ts'
import { assemble } from './assemble.ts'
import { cacheContract } from './contracts/cache.ts'
import { loadingContract } from './contracts/loading.ts'
import { manyContract } from './contracts/many.ts'
import { reportsContract } from './contracts/reports.ts'
import { storeContract } from './contracts/store.ts'
import { valuesContract } from './contracts/values.ts'
import { writingContract } from './contracts/writing.ts'

const { open } = await openCluster(t)

async function onCluster () {
  const app = await assemble({ client: open(), boot: 'wait' })
  t.teardown(() => app.close())
  await app.ready()
  return app
}

const [here, there] = [await onCluster(), await onCluster()]

storeContract(t, 'Cluster', () => new RedisStore(here.respite.link, new Places(cacheShapes(here.respite.keyspace), randomToken()), here.respite.clock))
cacheContract(t, 'Cluster', () => ({ here, there }))
manyContract(t, 'Cluster', () => ({ here, there }))
loadingContract(t, 'Cluster', () => ({ here, there }))
writingContract(t, 'Cluster', () => ({ here, there }))
reportsContract(t, 'Cluster', () => ({ here, there }))
valuesContract(t, 'Cluster', () => ({ here, there }))
