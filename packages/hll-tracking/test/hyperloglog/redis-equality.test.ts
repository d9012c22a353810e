import { seeded, startRedis } from '@respite/testing'
import { Redis } from 'ioredis'
import t from 'tap'
import { decodeHyperLogLog, encodeHyperLogLog } from '../../src/hyperloglog/encoding.ts'
import { estimate } from '../../src/hyperloglog/estimate.ts'
import { Registers } from '../../src/hyperloglog/registers.ts'

const server = await startRedis()
const redis = new Redis(server.port)
t.teardown(async () => {
  redis.disconnect()
  await server.stop()
})

async function pfadd (key: string, elements: Buffer[]) {
  for (let i = 0; i < elements.length; i += 1_000) await redis.call('PFADD', key, ...elements.slice(i, i + 1_000))
}

function registersOf (elements: Buffer[]): Registers {
  const registers = new Registers()
  for (const element of elements) registers.add(element)
  return registers
}

t.test('registers and estimates equal those of Redis for random ids of random lengths', async t => {
  const random = seeded(t)
  for (const n of [0, 1, 2, 17, 256, 700, 3_000, 20_000, 150_000]) {
    const elements = Array.from({ length: n }, () => random.bytes(random.below(40)))
    const key = `equal:${n}`
    await (n === 0 ? redis.call('PFADD', key) : pfadd(key, elements))
    const value = (await redis.getBuffer(key))!
    const registers = registersOf(elements)
    t.equal(value[4], n < 1_000 ? 1 : n > 2_500 ? 0 : value[4], `${n} ids rest ${value[4] === 1 ? 'sparse' : 'dense'}`)
    t.ok(Buffer.from(decodeHyperLogLog(value).bytes).equals(registers.bytes), `the registers of ${n} ids are equal`)
    t.equal(estimate(registers.histogram()), await redis.pfcount(key), `the estimate of ${n} ids is equal`)
  }
})

t.test('what is written here is counted, added to and merged by Redis', async t => {
  const random = seeded(t)
  const ours = Array.from({ length: 5_000 }, () => random.bytes(8))
  const theirs = Array.from({ length: 5_000 }, () => random.bytes(8))
  await redis.set('ours', encodeHyperLogLog(registersOf(ours)))
  await pfadd('theirs', theirs)
  t.equal(await redis.pfcount('ours'), estimate(registersOf(ours).histogram()))
  const union = decodeHyperLogLog((await redis.getBuffer('theirs'))!)
  union.merge(registersOf(ours))
  t.equal(await redis.pfcount('ours', 'theirs'), estimate(union.histogram()))
  await redis.pfmerge('ours', 'theirs')
  t.ok(Buffer.from(decodeHyperLogLog((await redis.getBuffer('ours'))!).bytes).equals(union.bytes))
  const more = random.bytes(8)
  await pfadd('ours', [more])
  union.add(more)
  t.equal(await redis.pfcount('ours'), estimate(union.histogram()))
})

t.test('refuses bytes that are no HyperLogLog', async t => {
  await redis.call('PFADD', 'broken', 'a', 'b')
  const sparse = (await redis.getBuffer('broken'))!
  const otherEncoding = Buffer.from(sparse)
  otherEncoding[4] = 7
  for (const value of [Buffer.from('HYLL'), Buffer.alloc(20), sparse.subarray(0, -1), otherEncoding, encodeHyperLogLog(new Registers()).subarray(0, 100)]) {
    t.throws(() => decodeHyperLogLog(value), { code: 'FST_RSP_TRACKING_HLL_CORRUPT' })
  }
})
