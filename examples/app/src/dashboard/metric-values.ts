import type { AnyMetric, CounterSeries, GaugeSeries, Histogram, LabelValues, Metric, Metrics } from '@respite/redis'
import type { Counted } from './buckets.ts'

/** Values of some labels, by the labels' names. */
export type Labels = Readonly<Record<string, string>>

const none: Counted = { bounds: [], counts: [] }

/** The metrics of this process, by name; of one that is not there everything is 0. */
export class MetricValues {
  readonly #metrics = new Map<string, AnyMetric>()
  /** Stops being told of new ones. */
  readonly close: () => void

  constructor (metrics: Metrics) {
    this.close = metrics.onMetric(metric => { this.#metrics.set(metric.name, metric) })
  }

  /** Lets gauges look for their values; it never rejects. */
  async refresh (...names: string[]): Promise<void> {
    await Promise.all(names.map(name => this.#metrics.get(name)?.refresh()))
  }

  /** The sum of all series whose labels are these. */
  sum (name: string, labels: Labels = {}): number {
    return this.lines(name).reduce((sum, line) => sum + (matches(line.labels, labels) ? line.value : 0), 0)
  }

  /** Every series of a counter or gauge. */
  lines (name: string): Array<{ labels: Labels, value: number }> {
    const metric = this.#metrics.get(name) as Metric<CounterSeries | GaugeSeries> | undefined
    return metric === undefined ? [] : Array.from(metric.entries(), ([values, { value }]) => ({ labels: labelsOf(metric.labels, values), value }))
  }

  /** What all series of a histogram have counted together; @param either - or only those whose labels are one of these */
  counted (name: string, ...either: Labels[]): Counted {
    const metric = this.#metrics.get(name) as Histogram | undefined
    if (metric === undefined) return none
    const counts = new Array<number>(metric.bucketBounds.length + 1).fill(0)
    for (const [values, { buckets }] of metric.entries()) {
      const labels = labelsOf(metric.labels, values)
      if (either.length === 0 || either.some(wanted => matches(labels, wanted))) for (const [i, count] of buckets.entries()) counts[i]! += count
    }
    return { bounds: metric.bucketBounds, counts }
  }
}

const labelsOf = (names: readonly string[], values: LabelValues): Labels => Object.fromEntries(names.map((name, i) => [name, values[i]!]))

const matches = (labels: Labels, wanted: Labels) => Object.entries(wanted).every(([name, value]) => labels[name] === value)
