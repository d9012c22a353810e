import t from 'tap'
import { seeded } from '../src/seeded.ts'
import { Fingerprints } from '../src/fingerprints.ts'

t.test('states have one fingerprint when they have one text, and else two', async t => {
  const random = seeded(t)
  const leaves = [0, 1, -1, 2 ** 31, 0.5, '0.5', '', 'a', '0', '1', 'null', true, false, null]
  const names = ['a', 'b', '0']
  const state = (depth: number): unknown => {
    const kind = depth === 0 ? 0 : random.below(3)
    if (kind === 0) return leaves[random.below(leaves.length)]
    const parts = Array.from({ length: random.below(3) }, () => state(depth - 1))
    return kind === 1 ? parts : Object.fromEntries(parts.map((part, i) => [names[i], part]))
  }
  const fingerprints = new Fingerprints()
  const [printOf, textOf] = [new Map<string, number>(), new Map<number, string>()]
  for (let i = 0; i < 50_000; i++) {
    const one = state(4)
    const [text, print] = [JSON.stringify(one), fingerprints.of(one)]
    if ((printOf.get(text) ?? print) !== print || (textOf.get(print) ?? text) !== text) return t.fail(`${text} and ${textOf.get(print)}`)
    printOf.set(text, print)
    textOf.set(print, text)
  }
  t.ok(printOf.size > 5_000, `${printOf.size} states`)
})

t.test('a property that is undefined is none, as in a text', async t => {
  const fingerprints = new Fingerprints()
  t.equal(fingerprints.of({ a: 1, b: undefined }), fingerprints.of({ a: 1 }))
  t.not(fingerprints.of({ a: null }), fingerprints.of({}))
})
