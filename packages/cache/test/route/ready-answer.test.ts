import t from 'tap'
import { ReadyAnswers } from '../../src/route/ready-answer.ts'
import type { Namespace } from '../../src/namespace.ts'
import { Answer } from '../../src/answer.ts'

const life = { freshMs: 1, ageMs: 0, swrMs: 0, staleIfErrorMs: 0, strict: false }

t.test('what lies in this process is made ready once, also bytes and what callers would be given copies of; a new copy anew', async t => {
  const body = new Uint8Array([1, 2, 3, 4]).subarray(1, 3)
  const copyOf = (value: unknown) => ({ answer: new Answer({ value, plain: false }, true) })
  let copy: object | undefined = copyOf({ status: 200, headers: { 'x-a': ['1', '2'], vary: 'accept' }, body, etag: '"e"', atMs: 0, life })
  let hits = 0
  const names = new Set<string>()
  const local = { find: (name: string) => { names.add(name); return copy } }
  const ready = new ReadyAnswers({ nameOf: (key: string) => `name of ${key}`, local, journal: { hitL1: (name: string) => { names.add(name); hits++ } } } as unknown as Namespace)
  const first = ready.find('k')!
  t.strictSame([first.body, first.headers, first.vary], [Buffer.from([2, 3]), [['x-a', ['1', '2']], ['etag', '"e"']], 'accept'])
  t.equal((first.body as Buffer).buffer, body.buffer, 'not copied')
  t.equal(ready.find('k'), first)
  copy = copyOf({ status: 200, headers: {}, body: 'text', etag: '"f"', atMs: 0, life })
  t.equal(ready.find('k')!.body, 'text')
  t.equal(hits, 3)
  for (copy of [copyOf('of a stranger'), undefined]) t.equal(ready.find('k'), undefined)
  t.equal(hits, 3, 'what is not given is no hit')
  t.strictSame([...names], ['name of k'])
})
