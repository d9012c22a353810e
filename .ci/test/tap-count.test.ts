import t from 'tap'
import { countTests, heldUp, sumOf } from '../tap-count.mjs'

const sumIn = (tap: string) => sumOf(countTests(tap).values())

const file = (name: string, ok: boolean, body: string) => `# Subtest: ${name}\n${body}${ok ? 'ok' : 'not ok'} 1 - ${name}\n`
const test = (n: number, name: string, ok: boolean) => `    # Subtest: ${name}\n        ${ok ? 'ok' : 'not ok'} 1 - holds\n        1..1\n    ${ok ? 'ok' : 'not ok'} ${n} - ${name}\n`

t.test('counts each named test once', async t => {
  const tap = `TAP version 14\n1..1\n${file('a.test.ts', false, test(1, 'one', true) + test(2, 'two', false) + '    1..2\n')}`
  t.match(sumIn(tap), { passed: 1, failed: 1, skipped: 0, failures: [{ name: 'a.test.ts > two' }] })
})

t.test('tells why a test failed, also from a test inside it, and no more than can be read', async t => {
  const inner = '        # Subtest: inner\n            not ok 1 - one is two\n              ---\n              diff: "-2 +1"\n              ...\n            1..1\n        not ok 1 - inner\n        1..1\n'
  const long = `        not ok 1 - long\n          ---\n          diff: "${'x'.repeat(10_000)}"\n          ...\n        1..1\n`
  const body = `    # Subtest: outer\n${inner}    not ok 1 - outer\n    # Subtest: second\n${long}    not ok 2 - second\n    1..2\n`
  const { failures } = sumIn(`TAP version 14\n1..1\n${file('e.test.ts', false, body)}`)
  t.match(failures, [{ name: 'e.test.ts > outer', reasons: [/^one is two\n-2 \+1/] }, { name: 'e.test.ts > second', reasons: [/^long/] }])
  t.equal(failures[1]!.reasons[0]!.length, 3000)
})

t.test('counts a file that ended before any test as a failure', async t => {
  t.match(sumIn(`TAP version 14\n1..1\n${file('b.test.ts', false, '    1..0 # no tests found\n')}`).failed, 1)
})

t.test('counts a timeout outside of every test as a failure', async t => {
  const tap = `TAP version 14\n1..1\n${file('c.test.ts', false, test(1, 'one', true) + '    not ok 2 - timeout!\n    1..2\n')}`
  t.match(sumIn(tap), { passed: 1, failed: 1 })
})

t.test('tells skipped tests from passed ones', async t => {
  const tap = `TAP version 14\n1..1\n${file('d.test.ts', true, '    # Subtest: s\n        ok 1 - not here # SKIP\n        1..1\n    ok 1 - s\n    1..1\n')}`
  t.match(sumIn(tap), { passed: 0, failed: 0, skipped: 1 })
})

t.test('tells each file by itself, so that one that is run again takes the place of what it was', async t => {
  const counts = countTests(`TAP version 14\n1..2\n${file('a.test.ts', false, test(1, 'one', true) + test(2, 'two', false) + '    1..2\n')}${file('b.test.ts', true, test(1, 'one', true) + '    1..1\n')}`)
  for (const [name, count] of countTests(`TAP version 14\n1..1\n${file('a.test.ts', true, test(1, 'one', true) + test(2, 'two', true) + '    1..2\n')}`)) counts.set(name, count)
  t.strictSame(sumOf(counts.values()), { passed: 3, failed: 0, skipped: 0, failures: [] })
})

t.test('up to three files that failed are to be run again, more are broken', async t => {
  const counts = new Map(Array.from({ length: 5 }, (_, i) => [`${i}.test.ts`, { passed: 1, failed: i < 3 ? 1 : 0, skipped: 0, failures: [] }]))
  t.strictSame(heldUp(counts), ['0.test.ts', '1.test.ts', '2.test.ts'])
  counts.get('3.test.ts')!.failed = 1
  t.strictSame(heldUp(counts), [])
})
