import t from 'tap'
import { createEmbeddedInvalidations } from '../../src/invalidations/embedded-invalidations.ts'
import type { LocalCopies } from '../../src/invalidations/invalidations.ts'

/** Copies that write down what they are told. */
function copies (): LocalCopies & { told: (readonly string[] | 'all')[] } {
  const told: (readonly string[] | 'all')[] = []
  return { told, changed: keys => { told.push(keys) }, all: () => { told.push('all') } }
}

t.test('is armed for ever and keeps what nobody has changed', async t => {
  const invalidations = createEmbeddedInvalidations()
  t.equal(invalidations.means, 'embedded')
  t.equal(invalidations.armed, true)
  const mark = invalidations.mark(['a', 'b'])
  t.ok(mark.mayKeep('a') && mark.mayKeep('b'))
  t.notOk(mark.mayKeep('unmarked'))
  mark.release()
  t.notOk(mark.mayKeep('a'), 'a mark that has ended keeps nothing')
})

t.test('an own change spoils the marks of its keys, and no others', async t => {
  const invalidations = createEmbeddedInvalidations()
  const [one, two] = [invalidations.mark(['a', 'b']), invalidations.mark(['a'])]
  invalidations.changedHere(['a', 'x'])
  t.same([one.mayKeep('a'), one.mayKeep('b'), two.mayKeep('a')], [false, true, false])
  const later = invalidations.mark(['a'])
  t.ok(later.mayKeep('a'), 'a question asked after the change is clean')
  one.release()
  one.release()
  invalidations.changedHere(['a'])
  t.notOk(later.mayKeep('a'), 'the end of one mark ends no other')
})

t.test('a mark extended by a key is spoiled by it too, and a spoiled key stays spoiled when marked again', async t => {
  const invalidations = createEmbeddedInvalidations()
  const mark = invalidations.mark(['a'])
  invalidations.changedHere(['a', 'b'])
  invalidations.extend(mark, ['a', 'b'])
  t.same([mark.mayKeep('a'), mark.mayKeep('b')], [false, true])
  invalidations.changedHere(['b'])
  t.notOk(mark.mayKeep('b'))
  mark.release()
  invalidations.extend(mark, ['c'])
  t.notOk(mark.mayKeep('c'))
})

t.test('a change of everything spoils every mark and drops every copy', async t => {
  const invalidations = createEmbeddedInvalidations()
  const local = copies()
  invalidations.follow(['k:'], local)
  const mark = invalidations.mark(['a'])
  invalidations.changedAllHere()
  t.notOk(mark.mayKeep('a'))
  t.same(local.told, ['all'])
})

t.test('copies hear of the keys under their prefixes, until they stop', async t => {
  const invalidations = createEmbeddedInvalidations()
  const [values, tags] = [copies(), copies()]
  const stop = invalidations.follow(['val:', 'ns:'], values)
  invalidations.follow(['tag:'], tags)
  invalidations.changedHere(['val:1', 'tag:1', 'other', 'ns:1'])
  stop()
  invalidations.changedHere(['val:2'])
  t.same(values.told, [['val:1', 'ns:1']])
  t.same(tags.told, [['tag:1']])
})

t.test('while somebody holds copies back nothing is kept, before, during or across', async t => {
  const invalidations = createEmbeddedInvalidations()
  const local = copies()
  invalidations.follow(['a'], local)
  const before = invalidations.mark(['a'])
  const generation = invalidations.generation
  invalidations.hold('queue', true)
  invalidations.hold('other', true)
  invalidations.hold('queue', true)
  t.equal(invalidations.armed, false)
  const during = invalidations.mark(['a'])
  invalidations.hold('queue', false)
  t.equal(invalidations.armed, false, 'the other still holds')
  invalidations.hold('other', false)
  t.equal(invalidations.armed, true)
  t.ok(invalidations.generation > generation)
  t.same([before.mayKeep('a'), during.mayKeep('a')], [false, false])
  t.same(local.told, ['all', 'all'])
})
