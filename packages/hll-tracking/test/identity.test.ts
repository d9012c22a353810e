import t from 'tap'
import { Identities } from '../src/identity.ts'

const key = 'a key of more than 16 characters'

t.test('the same id gives the same identity under the same key, and another under another', async t => {
  const [here, there, other] = [new Identities(key, 'encrypted'), new Identities(key, 'encrypted'), new Identities(key + '!', 'encrypted')]
  t.same(here.of('alice'), there.of('alice'))
  t.equal(here.of('alice'), here.of('alice'), 'remembered')
  t.notSame(here.of('alice').keyed, here.of('bob').keyed)
  t.notSame(here.of('alice').keyed, other.of('alice').keyed)
  t.not(here.keyId, other.keyId)
  t.equal(here.of('alice').keyed.length, 8)
})

t.test('an encrypted id is shown to those who have the key, and to nobody else', async t => {
  const [mine, other] = [new Identities(key, 'encrypted'), new Identities(key + '!', 'encrypted')]
  for (const id of ['alice', '', 'ünï · 漢字 · 🚀', '2001:db8::1', 'x'.repeat(300), '\0']) {
    const { member } = mine.of(id)
    t.equal(mine.read(member)?.id, id)
    t.equal(other.read(member), undefined)
    if (id.length > 3) t.notOk(member.includes(id))
  }
  const { member } = mine.of('alice')
  member[member.length - 1]! ^= 1
  t.equal(mine.read(member), undefined, 'changed bytes are noticed')
  t.equal(mine.read(Buffer.from('e')), undefined)
  t.equal(mine.read(Buffer.alloc(0)), undefined)
})

t.test('a plain id rests as it is, and lists of both forms can be read', async t => {
  const plain = new Identities(key, 'plain')
  t.equal(plain.of('alice').member.toString(), 'palice')
  t.equal(plain.read(new Identities(key, 'encrypted').of('bob').member)?.id, 'bob')
  t.same(plain.of('alice').keyed, new Identities(key, 'encrypted').of('alice').keyed)
})

t.test('a long id gets a short stand-in that does not show it', async t => {
  const identities = new Identities(key, 'plain')
  const long = 'secret'.repeat(1_000)
  t.match(identities.idOf(long), /^#[\w-]{22}$/)
  t.equal(identities.idOf(long), identities.idOf(long))
  t.not(identities.idOf(long), identities.idOf(long + '!'))
})
