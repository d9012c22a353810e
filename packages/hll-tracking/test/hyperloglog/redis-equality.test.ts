import { type Seeded, seeded, startRedis } from '@respite/testing'
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

const most = 1_000_000
const sparse = 1

/** The same random ids, of 0 to 39 bytes, counted by the server under a key and here. */
async function counted (key: string, n: number, random: Seeded): Promise<Registers> {
  const registers = new Registers()
  if (n === 0) await redis.call('PFADD', key)
  for (let done = 0; done < n; done += 1_000) {
    const ids = Array.from({ length: Math.min(1_000, n - done) }, () => random.bytes(random.below(40)))
    for (const id of ids) registers.add(id)
    await redis.call('PFADD', key, ...ids)
  }
  return registers
}

/** So many ids that every size of a set has its turn: from 1 up, each order of magnitude as likely as the others. */
const anySize = (random: Seeded, atMost: number) => Math.floor(atMost ** (random.word() / 2 ** 32))

const held = async (key: string) => (await redis.getBuffer(key))!
const same = (a: Registers, b: Registers) => Buffer.from(a.bytes).equals(b.bytes)

t.test('registers and estimates equal those of Redis for random sets of 0 to a million ids', async t => {
  const random = seeded(t)
  const encodings = new Set<number>()
  for (const n of [0, 1, 2, 256, 257, ...Array.from({ length: 24 }, () => anySize(random, most / 5)), most]) {
    const key = `equal:${n}`
    await redis.del(key)
    const ours = await counted(key, n, random)
    const value = await held(key)
    encodings.add(value[4]!)
    if (!same(decodeHyperLogLog(value), ours)) t.fail(`the registers of ${n} ids differ`)
    t.equal(estimate(ours.histogram()), await redis.pfcount(key), `${n} ids, ${value[4] === sparse ? 'sparse' : 'dense'}`)
  }
  t.same([...encodings].sort(), [0, 1], 'both encodings were read')
})

t.test('what is written here is counted, added to and merged by Redis, and what Redis writes is merged here', async t => {
  const random = seeded(t)
  for (let round = 0; round < 12; round++) {
    const [mine, theirs] = [await counted('mine', anySize(random, 50_000), random), await counted('theirs', anySize(random, 50_000), random)]
    await redis.set('written', encodeHyperLogLog(mine))
    t.equal(await redis.pfcount('written'), estimate(mine.histogram()))
    const union = decodeHyperLogLog(await held('theirs'))
    union.merge(mine)
    t.equal(await redis.pfcount('written', 'theirs'), estimate(union.histogram()))
    await redis.pfmerge('into theirs', 'theirs', 'written')
    await redis.pfmerge('written', 'theirs')
    t.ok(same(decodeHyperLogLog(await held('into theirs')), union) && same(decodeHyperLogLog(await held('written')), union), 'merged there as here, either way')
    const more = random.bytes(8)
    await redis.call('PFADD', 'written', more)
    union.add(more)
    t.equal(await redis.pfcount('written'), estimate(union.histogram()))
    theirs.merge(mine)
    theirs.add(more)
    t.ok(same(theirs, union))
    await redis.del('mine', 'theirs', 'written', 'into theirs')
  }
})

t.test('damaged bytes are refused by a clear error, or are read as Redis reads them', async t => {
  const random = seeded(t)
  let refused = 0
  for (let round = 0; round < 600; round++) {
    if (round % 60 === 0) {
      await redis.del('whole')
      await counted('whole', anySize(random, 4_000), random)
    }
    const bytes = damaged(await held('whole'), random)
    const read = readOrRefuse(bytes)
    if (read === undefined) {
      refused++
      continue
    }
    await redis.del('read')
    await redis.set('damaged', bytes)
    await redis.pfmerge('read', 'damaged')
    if (!same(decodeHyperLogLog(await held('read')), read)) t.fail(`read otherwise: ${bytes.toString('hex').slice(0, 200)}`)
  }
  t.ok(refused > 60 && refused < 600, `${refused} of 600 were refused`)
})

t.test('bytes that are no HyperLogLog are refused, however they are wrong', async t => {
  const header = Buffer.from('48594c4c010000000000000000000000', 'hex')
  const sparseOf = (...opcodes: number[]) => Buffer.concat([header, Buffer.of(...opcodes)])
  const all = [0x7f, 0xff]
  t.equal(estimate(decodeHyperLogLog(sparseOf(...all)).histogram()), 0, 'all zeros are one opcode')
  const dense = encodeHyperLogLog(new Registers())
  const unknown = Buffer.from(dense)
  unknown[4] = 2
  for (const [why, value] of Object.entries({
    'no bytes': Buffer.alloc(0),
    'half a header': header.subarray(0, 8),
    'another magic': Buffer.alloc(20),
    'an unknown encoding': unknown,
    'dense, cut off': dense.subarray(0, -1),
    'dense, too long': Buffer.concat([dense, Buffer.of(0)]),
    'sparse, without registers': sparseOf(),
    'sparse, one register short': sparseOf(0x7f, 0xfe),
    'sparse, one zero too many': sparseOf(...all, 0x00),
    'sparse, one value too many': sparseOf(...all, 0x80),
    'sparse, a run over the end': sparseOf(0x7f, 0xfe, 0x81),
    // 16,129 registers, and 255 more.
    'sparse, whole by the byte that is missing': sparseOf(0x3f, 0x3f, 0x3f, 0x3e, 0x7f),
    'sparse, longer than any': Buffer.concat([header, Buffer.alloc(100_000, 0x7f)])
  })) t.throws(() => decodeHyperLogLog(value), { code: 'FST_RSP_TRACKING_HLL_CORRUPT' }, why)
  t.throws(() => new Registers(new Uint8Array(5)), { code: 'FST_RSP_TRACKING_HLL_CORRUPT', message: /5 bytes/ })
})

/** One byte is another, or some are missing, or there are more. */
function damaged (whole: Buffer, random: Seeded): Buffer {
  const bytes = Buffer.from(whole)
  const at = random.below(bytes.length)
  const kind = random.below(4)
  if (kind === 0) return bytes.subarray(0, at)
  if (kind === 1) return Buffer.concat([bytes, random.bytes(1 + random.below(4))])
  if (kind === 2) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(3))])
  bytes[at] = random.below(256)
  return bytes
}

function readOrRefuse (bytes: Buffer): Registers | undefined {
  try {
    return decodeHyperLogLog(bytes)
  } catch (error) {
    if ((error as { code?: string }).code === 'FST_RSP_TRACKING_HLL_CORRUPT') return undefined
    throw error
  }
}
