import t from 'tap'
import { Sequences } from '../../src/bus/sequences.ts'

t.test('holes are found a topic and an origin at a time; a repeated one is told from a hole', async t => {
  const sequences = new Sequences()
  const heard: [string, string, number, string][] = [
    ['t', 'a', 5, 'next'], ['t', 'a', 6, 'next'], ['t', 'b', 1, 'next'], ['u', 'a', 9, 'next'], ['t', 'a', 6, 'repeated'],
    ['t', 'a', 8, 'hole'], ['t', 'a', 9, 'next'], ['t', 'b', 3, 'hole'], ['u', 'a', 10, 'next']
  ]
  for (const [topic, origin, sequence, verdict] of heard) t.equal(sequences.heard(topic, origin, sequence), verdict, `${topic} ${origin} ${sequence}`)
})

t.test('a publisher that has begun anew under its old name may have lost some', async t => {
  const sequences = new Sequences()
  sequences.heard('t', 'a', 5)
  t.equal(sequences.heard('t', 'a', 1), 'hole')
  t.equal(sequences.heard('t', 'a', 2), 'next')
})

t.test('who does not count has no holes', async t => {
  const sequences = new Sequences()
  t.same([sequences.heard('t', '', 5), sequences.heard('t', '', 9), sequences.heard('t', 'a', 0), sequences.heard('t', 'a', 0)], ['next', 'next', 'next', 'next'])
})

t.test('forgets one topic and no other, whatever their names', async t => {
  const sequences = new Sequences()
  for (const topic of ['b', 'a b', '']) sequences.heard(topic, 'o', 1)
  sequences.forget('b')
  t.equal(sequences.heard('b', 'o', 9), 'next')
  t.equal(sequences.heard('a b', 'o', 9), 'hole')
  sequences.forget('')
  t.equal(sequences.heard('', 'o', 9), 'next')
})
