import t from 'tap'
import { decodeEnvelope, encodeEnvelope, largestMessageBytes } from '../../src/bus/envelope.ts'

const decode = (text: string) => decodeEnvelope(Buffer.from(text))

t.test('the form on the wire is as it is documented', async t => {
  t.equal(encodeEnvelope('x', { origin: 'abc', sequence: 7, value: { a: [1] } }), '{"v":1,"o":"abc","s":7,"d":{"a":[1]}}')
})

t.test('what another language publishes is read, with and without its name and count', async t => {
  t.same(decode('{"v":1,"d":5}'), { origin: '', sequence: 0, value: 5 })
  t.same(decode(' { "d": null, "s": 3, "o": "py-1", "v": 1, "more": true } '), { origin: 'py-1', sequence: 3, value: null })
})

t.test('what is no message is malformed, whatever it is', async t => {
  const bad = ['', '{', 'null', '5', '[]', '"x"', '{}', '{"d":1}', '{"v":"1","d":1}', '{"v":1}', '{"v":1,"d":1,"o":5}', '{"v":1,"d":1,"s":-1}', '{"v":1,"d":1,"s":1.5}',
    `{"v":1,"d":1,"o":"${'x'.repeat(65)}"}`, '{"v":1,"d":1,"s":"2"}', '\u0000\uFFFD', `{"v":1,"d":"${'x'.repeat(largestMessageBytes)}"}`]
  for (const text of bad) t.equal(decode(text), 'malformed', text.slice(0, 40))
})

t.test('a message of another form is told from a malformed one', async t => {
  t.equal(decode('{"v":2,"anything":1}'), 'version')
  t.equal(decode('{"v":0,"d":1}'), 'version')
})

t.test('__proto__ in a message changes no prototype', async t => {
  t.match(decode('{"v":1,"d":{"__proto__":{"polluted":1}}}'), { origin: '' })
  t.equal(({} as { polluted?: number }).polluted, undefined)
})
