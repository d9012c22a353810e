import t from 'tap'
import { parseCommandLine } from '../src/command-line.ts'

t.test('a scenario with its switches', async t => {
  t.match(parseCommandLine(['suite', '--quick', '--json']), { kind: 'scenario', name: 'suite', quick: true, json: true, seed: undefined, only: [] })
  t.match(parseCommandLine(['suite', '--seed', '7', '--rounds=2', '--seconds', '0.5', '--only', 'bare,respite', '--profile', 'out']),
    { seed: 7, rounds: 2, seconds: 0.5, only: ['bare', 'respite'], profile: 'out' })
})

t.test('a drill, wherever its switch stands', async t => {
  t.match(parseCommandLine(['--drill', 'link-outage', '--ops', '200000']), { kind: 'drill', name: 'link-outage', operations: 200_000 })
  t.match(parseCommandLine(['link-outage', '--drill']), { kind: 'drill', name: 'link-outage' })
})

t.test('what does not exist or cannot be is refused with its value', async t => {
  t.throws(() => parseCommandLine(['suite', '--fast']), /--fast/)
  t.throws(() => parseCommandLine(['suite', '--rounds', '0']), /--rounds takes a whole number from 1, got '0'/)
  t.throws(() => parseCommandLine(['suite', '--seed', 'x']), /--seed .* got 'x'/)
  t.throws(() => parseCommandLine(['suite', '--seconds', '-1']), TypeError)
  t.throws(() => parseCommandLine(['suite', 'session']), /one name at a time, got: suite session/)
})
