import t from 'tap'
import { beginning } from '../../src/streams/stream-id.ts'
import { MemoryLog } from '../../src/streams/memory-log.ts'

const [dayMs, monthMs] = [86_400_000, 30 * 86_400_000]
const retention = { maxLength: 10, keepMs: dayMs }

function logAt (nowMs: number) {
  const clock = { nowMs, monotonicMs: () => clock.nowMs, wallMs: () => clock.nowMs }
  return { clock, log: new MemoryLog(clock) }
}

t.test('messages go after their time, and the next one has the next number all the same', async t => {
  const { clock, log } = logAt(1)
  log.append('a', Buffer.from('1'), retention)
  log.append('a', Buffer.from('2'), retention)
  clock.nowMs += dayMs
  t.same(log.read('a', beginning, 10), [])
  t.equal(log.position('a').number, 2)
  log.append('a', Buffer.from('3'), retention)
  t.same(log.read('a', beginning, 10).map(({ id, message }) => [id.split('-')[1], String(message)]), [['3', '3']])
})

t.test('numbers go a month after the messages', async t => {
  const { clock, log } = logAt(1)
  log.append('a', Buffer.from('1'), retention)
  clock.nowMs += dayMs + monthMs - 1
  t.equal(log.position('a').number, 1)
  clock.nowMs += 1
  t.same(log.position('a'), beginning)
})
