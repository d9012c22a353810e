import { Redis } from 'ioredis'
import t from 'tap'
import { startRedis, until } from '@respite/testing'
import { sqliteStore } from '@respite/session'
import { systemClock } from '@respite/redis'
import { ownerOfUser } from '../../src/owner.ts'
import { isLive } from '../../src/stores/store.ts'
import { hashOf } from '../../src/token.ts'
import { copiesOf } from '../redis/house.ts'
import { bearer } from '../shop.ts'
import { ownFile, startProcess } from './other-process.ts'

// Processes take long to start where many tests run.
t.setTimeout(600_000)

// RESPITE_HAZARDS=large: as often as a night allows.
const [rounds, each] = process.env.RESPITE_HAZARDS === 'large' ? [50, 100] : [3, 30]

t.test('T1: of many log-ins of one user at once, in two processes, one token lives, with one row and one copy', async t => {
  const server = await startRedis()
  const client = new Redis(server.port, '127.0.0.1')
  const shared = { url: server.url, file: ownFile(t) }
  const store = sqliteStore(shared.file)
  t.teardown(async () => {
    client.disconnect()
    await store.close()
    await server.stop()
  })
  await store.open({ migrate: true, clock: systemClock })
  const [here, there] = await Promise.all([startProcess(t, shared), startProcess(t, shared)])
  for (let round = 0; round < rounds; round++) {
    const tokens = (await Promise.all([here, there].map(one => one.logins('ada', each)))).flat()
    t.equal(new Set(tokens).size, 2 * each)
    const codes = await Promise.all(tokens.map(async (token, i) => (await [here, there][i % 2]!.inject({ url: '/me', headers: bearer(token) })).statusCode))
    t.strictSame(codes.filter(code => code !== 401), [200])
    const winner = tokens[codes.indexOf(200)]!
    const listed = await store.list(ownerOfUser('ada').owner)
    t.equal(listed.length, 1)
    const found = await store.find(hashOf(winner.split('.')[1]!))
    t.equal(isLive(found) && found.sid, listed[0]!.id)
    const living = async () => [...(await copiesOf(client)).values()].filter(copy => copy.x === undefined).map(copy => copy.i)
    t.ok((await living()).length <= 1)
    // The copy of its log-in may have been refused, since others were ahead of it: then a request fills it.
    await until('the copy of the one that lives', async () => {
      await here.inject({ url: '/me', headers: bearer(winner) })
      return String(await living()) === listed[0]!.id
    })
  }
})
