import t from 'tap'
import { drawErrors, measureErrors } from '../../plots/hll-error.mjs'

const given = { sketches: 60, seed: 1 }

t.test('the error that is drawn is near what is published, and smaller for few ids', async t => {
  const errors = measureErrors({ ...given, most: 20_000 })
  t.same(errors.map(({ ids }) => ids), [10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000])
  for (const { ids, standardErrorPercent } of errors.filter(({ ids }) => ids >= 1_000)) {
    t.ok(standardErrorPercent > 0.35 && standardErrorPercent < 0.95, `${standardErrorPercent} % at ${ids}`)
  }
})

t.test('the same seed draws the same picture, in colours for light and dark, and says in words what it shows', async t => {
  const draw = () => drawErrors(measureErrors({ ...given, most: 1_000 }), given)
  const svg = draw()
  t.equal(draw(), svg)
  t.match(svg, /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
  t.match(svg, /aria-label="Standard error .* 60 sketches \(seed 1\)/)
  t.match(svg, /prefers-color-scheme: dark/)
  t.notMatch(svg, /NaN|undefined/)
})
