import t from 'tap'
import { type Copy, Sightings } from '../../../pages/stages/sightings.ts'

const copy = (instance: string, content: string, from: Copy['from'] = 'l1'): Copy => ({ instance, content, from, ageMs: 1 })

t.test('everyone has shown an edit when the last of those that are known has', async t => {
  const sightings = new Sightings()
  sightings.want('old')
  t.equal(sightings.everyoneAtMs(), undefined, 'nobody is known')
  sightings.saw(copy('a', 'old'), 1)
  sightings.saw(copy('b', 'old'), 2)
  t.equal(sightings.everyoneAtMs(), 2)
  sightings.want('new')
  t.equal(sightings.everyoneAtMs(), undefined)
  sightings.saw(copy('a', 'new', 'database'), 10)
  sightings.saw(copy('b', 'old'), 11)
  t.equal(sightings.everyoneAtMs(), undefined, 'b still has the old one')
  sightings.saw(copy('b', 'new', 'l2'), 12)
  sightings.saw(copy('a', 'new'), 13)
  t.equal(sightings.everyoneAtMs(), 12, 'the first time counts')
  t.match(sightings.all(), [{ instance: 'a', from: 'l1', currentAtMs: 10 }, { instance: 'b', from: 'l2', currentAtMs: 12 }])
})

t.test('who shows the old copy again has not taken the edit', async t => {
  const sightings = new Sightings()
  sightings.want('new')
  sightings.saw(copy('a', 'new'), 1)
  sightings.saw(copy('a', 'old'), 2)
  t.equal(sightings.everyoneAtMs(), undefined)
  sightings.saw(copy('a', 'new'), 3)
  t.equal(sightings.everyoneAtMs(), 3)
})

t.test('a server that has gone is waited for no more', async t => {
  const sightings = new Sightings()
  sightings.want('old')
  sightings.saw(copy('a', 'old'), 1)
  sightings.saw(copy('b', 'old'), 2)
  sightings.want('new')
  sightings.saw(copy('b', 'new'), 3)
  t.same(sightings.forgetSilent(), ['a'])
  t.equal(sightings.everyoneAtMs(), 3)
})
