import { startRedis, until } from '@respite/testing'
import { Redis } from 'ioredis'
import t from 'tap'
import { createIoredisAdapter } from '../../src/clients/ioredis.ts'
import { scribe } from '../contracts/invalidations.ts'
import { instanceOver } from '../instance.ts'

const server = await startRedis()
const client = new Redis(server.port, '127.0.0.1')
t.teardown(async () => {
  client.disconnect()
  await server.stop()
})

/** An instance whose server has no CLIENT TRACKING, armed for a prefix. */
async function armed () {
  const told = scribe()
  const { invalidations } = await instanceOver(t, createIoredisAdapter(client), { without: ['tracking'] })
  invalidations.follow(['k:'], told)
  await until('it is armed', () => invalidations.armed)
  return { invalidations, told }
}

t.test('without tracking the bus is the means: what one changes, the others hear of, and their marks are spoiled', async t => {
  const [a, b] = [await armed(), await armed()]
  t.equal(a.invalidations.means, 'bus')
  const mark = b.invalidations.mark(['k:1', 'k:2'])
  a.invalidations.changedHere(['k:1', 'other'])
  await until('the other hears of it', () => b.told.keys.length > 0)
  t.same(b.told.keys, ['k:1'])
  t.same([mark.mayKeep('k:1'), mark.mayKeep('k:2')], [false, true])
  const { alls } = b.told
  a.invalidations.changedAllHere()
  await until('everything is dropped', () => b.told.alls > alls)
  t.equal(mark.mayKeep('k:2'), false)
})

t.test('a lost connection ends all copies until messages come again', async t => {
  const [a, b] = [await armed(), await armed()]
  const { generation } = b.invalidations
  const mark = b.invalidations.mark(['k:1'])
  const { alls } = b.told
  await client.client('KILL', 'TYPE', 'PUBSUB')
  await until('the loss is noticed', () => b.invalidations.generation > generation)
  await until('both are armed again', () => a.invalidations.armed && b.invalidations.armed)
  t.equal(mark.mayKeep('k:1'), false)
  t.ok(b.told.alls > alls)
  a.invalidations.changedHere(['k:after'])
  await until('changes are heard of again', () => b.told.keys.includes('k:after'))
})
