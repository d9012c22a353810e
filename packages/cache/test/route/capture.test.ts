import { EventEmitter } from 'node:events'
import type { FastifyReply } from 'fastify'
import t from 'tap'
import { until } from '@respite/testing'
import { Capture } from '../../src/route/capture.ts'

/** A reply of which nothing has been sent. */
function unsent () {
  const raw = new EventEmitter()
  return { getHeaders: () => ({}), send: () => undefined, raw, request: { raw: { aborted: false } }, sent: false }
}

const task = { judge: () => undefined, maxBytes: 1, nowMs: () => 0, forward: 'uri-miss', unread: false, leaseMs: 50 } as const

t.test('a handler that says nothing to a client that has left is waited for as long as its lease stands, and no longer', async t => {
  const reply = unsent()
  const capture = new Capture(reply as unknown as FastifyReply, task)
  let done = false
  const ended = capture.done.then(captured => { done = true; return captured })
  Object.assign(reply.request.raw, { aborted: true })
  t.equal(reply.request.raw.aborted, false, 'the handler is not told: others may wait')
  reply.raw.emit('close')
  await new Promise(resolve => setImmediate(resolve))
  t.equal(done, false)
  // The timer does not keep a process alive; the test does.
  await until('it is over', () => done)
  t.equal(await ended, undefined)
})

t.test('a reply that was answered past Fastify is over with its connection', async t => {
  const reply = { ...unsent(), sent: true }
  const capture = new Capture(reply as unknown as FastifyReply, { ...task, leaseMs: 3_600_000 })
  reply.raw.emit('close')
  t.equal(await capture.done, undefined)
})
