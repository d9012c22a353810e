import { ratiosOf, type Samples, spreadBy } from './result.ts'
import type { Bound, Sample, Scenario } from './scenario.ts'
import { type Spread, spreadOf } from './statistics.ts'
import { table } from './table.ts'

/** The tables of a run for people: medians with the least and the greatest of the rounds. */
export function scenarioReport (scenario: Pick<Scenario, 'unit' | 'targets' | 'bounds'>, samples: Samples): string {
  const ratios = ratiosOf(samples)
  const blocks = [results(scenario, samples)]
  if (ratios.size > 0) blocks.push(comparison(scenario, ratios))
  const bounds = (scenario.bounds ?? []).flatMap(bound => boundLine(bound, samples))
  if (bounds.length > 0) blocks.push(bounds.join('\n'))
  const notes = [...samples].flatMap(([name, [first]]) => first?.note === undefined ? [] : [`${name}: ${first.note}`])
  if (notes.length > 0) blocks.push(notes.join('\n'))
  return blocks.join('\n\n')
}

function results (scenario: Pick<Scenario, 'unit'>, samples: Samples): string {
  const figures = [...new Set([...samples.values()].flatMap(([first]) => Object.keys(first?.figures ?? {})))]
  const head = ['candidate', scenario.unit, 'min–max', 'p99 ms', 'min–max', 'Redis calls', ...figures]
  const rows = [...samples].map(([name, taken]) => {
    const per = spreadBy(taken, sample => sample.perSecond)
    const p99 = spreadBy(taken, sample => sample.p99Ms)
    return [
      name, whole(per.median), range(per, whole), p99.median.toFixed(2), range(p99, value => value.toFixed(2)),
      spreadBy(taken, sample => sample.redisCallsPerRequest).median.toFixed(3), ...figures.map(figure => figureOf(taken, figure))
    ]
  })
  return table([head, ...rows])
}

function comparison ({ targets }: Pick<Scenario, 'targets'>, ratios: ReadonlyMap<string, Spread>): string {
  const rows = [...ratios].map(([name, ratio]) => {
    const target = targets.find(({ over }) => over === name)
    const verdict = target === undefined ? '' : `at least ${target.atLeast}: ${ratio.median >= target.atLeast ? 'reached' : 'MISSED'}`
    return [`respite/${name}`, ratio.median.toFixed(2), range(ratio, value => value.toFixed(2)), verdict]
  })
  return table([['ratio', 'median', 'min–max', 'to reach'], ...rows])
}

/** By the worst of the rounds: what holds always holds in each. Beyond another candidate by the median, as ratios are. */
function boundLine ({ candidate, figure, atMost, beyond }: Bound, samples: Samples): string[] {
  const ours = (samples.get(candidate) ?? []).map(sample => numberOf(sample, figure))
  const theirs = beyond === undefined ? ours.map(() => 0) : (samples.get(beyond) ?? []).map(sample => numberOf(sample, figure))
  if (ours.length === 0 || theirs.length === 0) return []
  const { median, max } = spreadOf(ours.map((value, round) => value - theirs[round]!))
  const value = beyond === undefined ? max : median
  const where = beyond === undefined ? '' : ` beyond ${beyond}`
  return [`${candidate}: ${figure}${where} at most ${atMost}: ${value <= atMost ? 'kept' : 'EXCEEDED'}, ${value.toFixed(3)}`]
}

function numberOf (sample: Sample, figure: string): number {
  if (figure === 'redisCallsPerRequest' || figure === 'p99Ms') return sample[figure]
  return sample.figures?.[figure] ?? Number.NaN
}

function figureOf (samples: readonly Sample[], figure: string): string {
  const values = samples.map(sample => sample.figures?.[figure])
  if (values.includes(undefined)) return ''
  const { median } = spreadBy(samples, sample => sample.figures![figure]!)
  // What is counted for each request is less than ten.
  return median.toFixed(figure.endsWith('PerRequest') || (median > 0 && median < 1) ? 3 : 1)
}

const whole = (value: number) => Math.round(value).toLocaleString('en-US')
const range = ({ min, max }: Spread, show: (value: number) => string) => `${show(min)}–${show(max)}`
