import { startRedis, until } from '@respite/testing'
import { Redis } from 'ioredis'
import t from 'tap'
import { createIoredisAdapter } from '../../src/clients/ioredis.ts'
import { type LaneReader, ReadingLane } from '../../src/streams/reading-lane.ts'

const server = await startRedis()
const client = new Redis(server.port, '127.0.0.1')
const adapter = createIoredisAdapter(client)
adapter.connect()
t.teardown(async () => {
  await adapter.close()
  client.disconnect()
  await server.stop()
})

/** Reads a stream of its name, and a string on the same lane; when the string is refused, so much room is left for the stream. */
async function readBeside (name: string, { roomLeft, cursorLeft = true }: { roomLeft: number, cursorLeft?: boolean }) {
  await client.set(`${name} string`, 'no stream')
  for (const n of [1, 2, 3]) await client.xadd(name, '*', 'm', n)
  const received: string[] = []
  let [room, refusals, looks] = [10, 0, 0]
  const stream: LaneReader = {
    key: name,
    get room () { return room },
    get after () {
      if (refusals > 0 && !cursorLeft) throw new TypeError('no cursor')
      return '0'
    },
    receive: entries => {
      received.push(...entries.map(({ message }) => String(message)))
      room = 0
      return undefined
    },
    refused: async () => false,
    look: () => { looks++ }
  }
  const string: LaneReader = {
    key: `${name} string`,
    room: 10,
    after: '0',
    receive: () => undefined,
    refused: async () => {
      refusals++
      room = roomLeft
      return false
    },
    look: () => {}
  }
  await until('it is connected', () => adapter.nodeOf(name) !== undefined && adapter.connected)
  const lane = new ReadingLane(adapter.nodeOf(name)!, { command: ['XREAD'], blockMs: 1_000, deadlineMs: 1_000 })
  t.teardown(() => lane.close())
  lane.add(string)
  lane.add(stream)
  await until('both were tried', () => looks === 1)
  return { received, refusals: () => refusals }
}

// To the server COUNT 0, and less, is as many as there are.
t.test('a stream that has no room any more when a key beside it was refused is not read', async t => {
  for (const roomLeft of [0, -1]) {
    const { received, refusals } = await readBeside(`room ${roomLeft}`, { roomLeft })
    t.same(received, [])
    t.equal(refusals(), 1)
  }
})

t.test('a stream whose cursor is gone when a key beside it was refused is not asked for one', async t => {
  const { received, refusals } = await readBeside('cursor', { roomLeft: 0, cursorLeft: false })
  t.same(received, [])
  t.equal(refusals(), 1)
})

t.test('a stream with little room left when a key beside it was refused is read as far', async t => {
  const { received, refusals } = await readBeside('little room', { roomLeft: 2 })
  t.same(received, ['1', '2'])
  t.equal(refusals(), 1)
})
