import { until } from '@respite/testing'
import t, { type Test } from 'tap'
import type { Command, Node, Subscriber } from '../../src/clients/adapter.ts'
import { type LaneReader, ReadingLane } from '../../src/streams/reading-lane.ts'

const replied = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' })
const maxClients = replied('ERR max number of clients reached')
const noPermission = replied("NOPERM User 'app' has no permissions to access one of the keys used as arguments")

/** A lane of a server whose connections answer as they are told, and what it said of failures. */
function laneOver (t: Test, answers: Partial<Pick<Subscriber, 'clientId' | 'send'>>) {
  const told: string[] = []
  const subscriber = (): Subscriber => ({ clientId: async () => 1, send: () => new Promise(() => {}), on: () => {}, close: async () => {}, ...answers }) as never
  const node: Node = { name: 'a:1', exec: ({ done }: Command) => done(null, 0), subscriber }
  const lane = new ReadingLane(node, { command: ['XREAD'], blockMs: 1_000, deadlineMs: 1_000, failed: error => told.push(error.message) })
  t.teardown(() => lane.close())
  return { lane, told }
}

function reader (key: string) {
  const heard: string[] = []
  return {
    heard,
    key,
    room: 1,
    after: '0-0',
    receive: () => {
      heard.push('entry')
      return undefined
    },
    refused: async (error: Error) => {
      heard.push(error.message)
      return false
    },
    look: () => {}
  } satisfies LaneReader & { heard: string[] }
}

// Seen: a server that takes no more connections, and not a word of it.
t.test('what the server refuses a connection with is told once, and again when it is something else', async t => {
  let rounds = 0
  const { lane, told } = laneOver(t, {
    clientId: async () => { throw ++rounds < 4 ? maxClients : noPermission }
  })
  lane.add(reader('a'))
  await until('rounds of both', () => rounds >= 6)
  t.same(told, [maxClients.message, noPermission.message])
})

t.test('a connection that breaks is told of by the link, not here', async t => {
  let rounds = 0
  const { lane, told } = laneOver(t, {
    clientId: async () => {
      rounds++
      throw new Error('Connection is closed.')
    }
  })
  lane.add(reader('a'))
  await until('two rounds', () => rounds >= 3)
  t.same(told, [])
})

// Seen: each stream deleted under a reader, and each demotion of a master, was told of as a refusal, and cost the connection.
t.test('a read that ends because what it waited for is gone is no refusal: it is read again', async t => {
  let [connections, reads] = [0, 0]
  const { lane, told } = laneOver(t, {
    clientId: async () => ++connections,
    send: () => ++reads === 1
      ? Promise.reject(replied('UNBLOCKED the stream key no longer exists'))
      : new Promise(resolve => setImmediate(resolve, [[Buffer.from('a'), [[Buffer.from('1-1'), [Buffer.from('m'), Buffer.from('x')]]]]]))
  })
  const deleted = reader('a')
  lane.add(deleted)
  await until('an entry', () => deleted.heard.length > 0)
  t.same([deleted.heard[0], connections, told], ['entry', 1, []])
})

t.test('a key that may not be read is told of as that, and the others are read', async t => {
  let connections = 0
  const { lane, told } = laneOver(t, {
    clientId: async () => ++connections,
    send: (_command, args) => {
      if (args.includes('denied')) return Promise.reject(noPermission)
      return new Promise(resolve => setImmediate(resolve, [[Buffer.from('granted'), [[Buffer.from('1-1'), [Buffer.from('m'), Buffer.from('x')]]]]]))
    }
  })
  const [denied, granted] = [reader('denied'), reader('granted')]
  lane.add(denied)
  lane.add(granted)
  await until('both', () => denied.heard.length > 0 && granted.heard.length > 0)
  t.same([denied.heard, granted.heard[0], connections, told], [[noPermission.message], 'entry', 1, []])
})
