import { type Spread, spreadOf } from './statistics.ts'
import type { Sample, Scenario } from './scenario.ts'

/** All samples of a run: of every candidate one a round, the n-th taken in round n. */
export type Samples = ReadonlyMap<string, readonly Sample[]>

/** The last line of a run with --json. */
export interface ScenarioResult {
  scenario: string
  results: Record<string, Record<string, number>>
  /** `respite/<candidate>`: how many times as many a second, the median of the rounds. */
  ratios: Record<string, number>
}

const subject = 'respite'

/** How `respite` did against each other candidate, round by round: both were measured within seconds of each other. */
export function ratiosOf (samples: Samples): Map<string, Spread> {
  const ours = samples.get(subject) ?? []
  const others = ours.length === 0 ? [] : [...samples].filter(([name]) => name !== subject)
  return new Map(others.map(([name, theirs]) =>
    [name, spreadOf(theirs.map((sample, round) => ours[round]!.perSecond / sample.perSecond))]))
}

/** The median of one number over a candidate's rounds. */
export function spreadBy (samples: readonly Sample[], pick: (sample: Sample) => number): Spread {
  return spreadOf(samples.map(pick))
}

/** @param samples - at least one of each candidate */
export function resultOf (scenario: Pick<Scenario, 'name' | 'unit'>, samples: Samples): ScenarioResult {
  const results: ScenarioResult['results'] = {}
  for (const [name, taken] of samples) {
    results[name] = {
      [scenario.unit]: Math.round(spreadBy(taken, sample => sample.perSecond).median),
      p99Ms: rounded(spreadBy(taken, sample => sample.p99Ms).median, 3),
      redisCallsPerRequest: rounded(spreadBy(taken, sample => sample.redisCallsPerRequest).median, 4)
    }
    for (const figure of Object.keys(taken[0]?.figures ?? {})) {
      results[name][figure] = rounded(spreadBy(taken, sample => sample.figures?.[figure] ?? Number.NaN).median, 3)
    }
  }
  const ratios = Object.fromEntries([...ratiosOf(samples)].map(([name, { median }]) => [`${subject}/${name}`, rounded(median, 3)]))
  return { scenario: scenario.name, results, ratios }
}

function rounded (value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits
}
