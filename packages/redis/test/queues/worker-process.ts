import Fastify from 'fastify'
import redis from '@respite/redis'
import { once } from 'node:events'
import type { QueueOptions } from '../../src/queues/queue.ts'
import { RedisWorkPlace } from '../../src/queues/redis-work-place.ts'

/** Where a worker's process dies by SIGKILL. */
export type DeathAt = 'taken' | 'begun' | 'worked' | 'settled' | 'never'

const { url, queue: name, diesAt, options } = JSON.parse(process.env.WORKER_PROCESS!) as { url: string, queue: string, diesAt: DeathAt, options: QueueOptions }

function pass (step: DeathAt): void {
  if (step === diesAt) process.kill(process.pid, 'SIGKILL')
}

const { receive, settle } = RedisWorkPlace.prototype
RedisWorkPlace.prototype.receive = function (entries) {
  pass('taken')
  receive.call(this, entries)
}
RedisWorkPlace.prototype.settle = async function (id) {
  pass('worked')
  const ours = await settle.call(this, id)
  pass('settled')
  process.send!(ours ? 'acknowledged' : 'refused')
  return ours
}
// The heartbeat of who is frozen would tell of the loss too, if it came before the acknowledgement.
if (diesAt === 'never') RedisWorkPlace.prototype.prolong = async () => []

const app = Fastify()
await app.register(redis, { url, deadlineMs: 2_000, boot: 'wait' })
await app.bus.queue<number>(name, options).work(async value => {
  pass('begun')
  await app.respite.link.send('INCR', `done:${name}:${value}`)
  if (diesAt !== 'never') return
  process.send!('working')
  await once(process, 'message')
})
process.send!('ready')
process.once('disconnect', () => app.close().finally(() => process.exit(0)))
