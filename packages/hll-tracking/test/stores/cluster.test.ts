import { openCluster } from '@respite/testing'
import t from 'tap'
import { assemble, fakeClock, storeParts } from '../assemble.ts'
import { keyRotationContract } from '../contracts/key-rotation.ts'
import { personalDataContract } from '../contracts/personal-data.ts'
import { storeContract } from '../contracts/store.ts'
import { trackingContract } from '../contracts/tracking.ts'
import { connected, storesOver } from '../linked.ts'

const { open } = await openCluster(t)
const app = await connected(t, { client: open() })

storeContract(t, storesOver(app))
trackingContract(t, storesOver(app))
keyRotationContract(t, storesOver(app))
personalDataContract(t, storesOver(app))

t.test('C5: metrics of different slots count the same ids the same, and their union counts each once', async t => {
  const parts = storeParts(fakeClock())
  const { tracking } = assemble(storesOver(app)(parts), parts)
  const metrics = Array.from({ length: 12 }, (_, i) => `metric ${i}`)
  for (let i = 0; i < 400; i++) for (const metric of metrics) tracking.observe(metric, `user:${i}`)
  const counts = await Promise.all(metrics.map(async metric => (await tracking.unique(metric).count()).value))
  t.equal(new Set(counts).size, 1)
  t.equal((await tracking.active()).mau.value, counts[0])
  t.same(await Promise.all(metrics.map(metric => tracking.calls(metric))), metrics.map(() => 400))
})
