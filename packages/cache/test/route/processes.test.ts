import t from 'tap'
import { gate, startRedis, until } from '@respite/testing'
import { type Worker, killed, startWorker } from './processes.ts'

const server = await startRedis()
t.teardown(() => server.stop())

/** Several processes over one Redis, and the row that their handlers give. */
async function fleet (size: number, lease: string) {
  const source: { row: string, hold: ReturnType<typeof gate> | undefined } = { row: 'v1', hold: undefined }
  const row = async () => {
    const { row, hold } = source
    await hold?.pass()
    return row
  }
  const workers = await Promise.all(Array.from({ length: size }, () => startWorker(t, { url: server.url, lease, row })))
  return { workers: workers as Workers, source, runs: () => workers.reduce((sum, { runs }) => sum + runs, 0) }
}

type Workers = [Worker, Worker, ...Worker[]]

const { workers, source, runs } = await fleet(2, '10s')
const hasty = await fleet(2, '200ms')

t.test('what one process has filled the other answers, and what an unsafe request ends in one ends in both', async t => {
  const [first, second] = workers
  t.match(await first.get('/rows/1'), { status: 200, state: 'MISS', body: 'v1' })
  await until('it is stored', async () => (await second.get('/rows/1')).state === 'HIT')
  for (const worker of workers) t.match(await worker.get('/rows/1'), { state: 'HIT', body: 'v1' })
  t.equal(runs(), 1)
  source.row = 'v2'
  t.equal(await second.put('/rows/1'), 200)
  t.match(await second.get('/rows/1'), { state: 'MISS', body: 'v2' })
  for (const worker of workers) await until('the push has come', async () => (await worker.get('/rows/1')).body === 'v2')
  t.equal(runs(), 2)
})

t.test('of requests that miss at once in two processes, one handler runs', async t => {
  const before = runs()
  const hold = source.hold = gate()
  const asked = workers.flatMap(worker => Array.from({ length: 20 }, () => worker.get('/rows/2')))
  await hold.reached
  hold.open()
  const answers = await Promise.all(asked)
  t.ok(answers.every(({ status, body }) => status === 200 && body === 'v2'))
  t.strictSame([answers.filter(({ state }) => state === 'MISS').length, runs() - before], [1, 1])
})

t.test('R7: a process that was frozen past its lease does not store its answer over a newer one', async t => {
  const { workers: [first, second], source } = hasty
  const hold = source.hold = gate()
  const late = first.get('/rows/3')
  await hold.reached
  first.child.kill('SIGSTOP')
  source.hold = undefined
  source.row = 'v2'
  t.equal(await second.put('/rows/3'), 200)
  await until('another has filled it', async () => (await second.get('/rows/3')).state === 'HIT')
  hold.open()
  first.child.kill('SIGCONT')
  t.equal((await late).body, 'v1', 'who asked before may have it')
  for (const worker of [second, first, second]) t.match(await worker.get('/rows/3'), { status: 200, body: 'v2' })
})

t.test('a process that dies while its handler runs costs the others one lease, and no request', async t => {
  const { workers: [first, second], source } = hasty
  const hold = source.hold = gate()
  first.get('/rows/4').catch(() => undefined) // it dies with the process
  await hold.reached
  source.hold = undefined
  const asked = Array.from({ length: 10 }, () => second.get('/rows/4'))
  await killed(first)
  for (const answer of await Promise.all(asked)) t.match(answer, { status: 200, body: 'v2' })
  await until('it is stored', async () => (await second.get('/rows/4')).state === 'HIT')
  hold.open()
})
