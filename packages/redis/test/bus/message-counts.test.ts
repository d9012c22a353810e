import t from 'tap'
import { messageCounts } from '../../src/bus/message-counts.ts'
import { createMetrics } from '../../src/metrics/registry.ts'

t.test('every outcome of a message is a series of its own, at 0 before it happens', async t => {
  const messages = createMetrics().counter({ name: 'messages_total', help: 'Messages by outcome', labels: ['outcome'] })
  const values = () => Object.fromEntries(Array.from(messages.entries(), ([[outcome], { value }]) => [outcome, value]))
  const counts = messageCounts(messages)
  const outcomes = ['published', 'failed', 'received', 'malformed', 'version'] as const
  t.same(values(), Object.fromEntries(outcomes.map(outcome => [outcome, 0])))
  for (const [i, outcome] of outcomes.entries()) counts[outcome].inc(i + 1)
  t.same(values(), { published: 1, failed: 2, received: 3, malformed: 4, version: 5 })
})
