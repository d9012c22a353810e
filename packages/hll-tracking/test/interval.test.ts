import { seeded } from '@respite/testing'
import t from 'tap'
import { estimate } from '../src/hyperloglog/estimate.ts'
import { Registers } from '../src/hyperloglog/registers.ts'
import { intervalOf, standardError } from '../src/interval.ts'

// More trials measure the table of src/interval.ts anew: TRIALS=3000 npx tap --timeout=1800 test/interval.test.ts
const trials = Number(process.env.TRIALS ?? 250)
const points = trials > 250 ? Array.from({ length: 12 }, (_, i) => 2 ** (i + 8)) : [257, 512, 2_048, 8_192, 16_384]

t.test('the interval covers the truth in 95 % of trials, for the errors are as large as it takes them to be', async t => {
  const random = seeded(t)
  const measured = points.map(() => ({ covered: 0, squares: 0 }))
  const element = Buffer.alloc(8)
  for (let trial = 0; trial < trials; trial++) {
    const registers = new Registers()
    for (let n = 1, at = 0; at < points.length; n++) {
      element.writeUInt32LE(random.word(), 0)
      element.writeUInt32LE(random.word(), 4)
      registers.add(element)
      if (n !== points[at]) continue
      const value = estimate(registers.histogram())
      const { low, high } = intervalOf(value)
      if (low <= n && n <= high) measured[at]!.covered++
      measured[at]!.squares += (value / n - 1) ** 2
      at++
    }
  }
  // Of n trials at 95 % the number that hold has the standard deviation √(0.0475 n), and a measured standard error one of 1/√(2n): 4.5 of them happen by
  // chance once in 150,000 times. Intervals are widened to whole numbers, which small counts feel: there is no upper bound for them.
  const [least, spread] = [0.95 * trials - 4.5 * Math.sqrt(0.0475 * trials), 4.5 / Math.sqrt(2 * trials)]
  measured.forEach(({ covered, squares }, i) => {
    const error = Math.sqrt(squares / trials)
    t.ok(covered >= least, `${covered} of ${trials} intervals hold at ${points[i]}`)
    if (points[i]! >= 2_048) {
      t.ok(covered < trials, 'and they are not so wide that they always do')
      t.ok(Math.abs(error / standardError(points[i]!) - 1) < spread, `the standard error is ${(100 * error).toFixed(3)} % at ${points[i]}`)
    }
  })
})

t.test('the standard error grows with the count up to 0.81 %', async t => {
  t.ok(standardError(1) < 0.0056)
  t.ok(standardError(10_000) > 0.0058 && standardError(10_000) < 0.0061)
  t.equal(standardError(10 ** 9), 0.00814)
  t.same(intervalOf(0), { low: 0, high: 0 })
  t.same(intervalOf(1_000_000), { low: 984_296, high: 1_016_214 })
})
