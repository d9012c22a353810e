import t from 'tap'
import { Pseudonyms } from '../../src/dashboard/pseudonyms.ts'

t.test('the same have the same name, others another, and without the secret it is another', async t => {
  const names = new Pseudonyms('a secret')
  t.match(names.of('192.0.2.1'), /^[0-9a-f]{8}$/)
  t.equal(names.of('192.0.2.1'), new Pseudonyms('a secret').of('192.0.2.1'))
  t.not(names.of('192.0.2.1'), names.of('192.0.2.2'))
  t.not(names.of('192.0.2.1'), new Pseudonyms('another').of('192.0.2.1'))
})
