import type { FastifyBaseLogger } from 'fastify'
import { FST_RSP_METRIC_CONFLICT, FST_RSP_METRIC_LABELS } from '../errors.ts'
import type { AnyMetric, CounterSeries, GaugeSeries, Histogram, HistogramSeries, LabelValues, Metric, MetricOptions, Metrics } from './metrics.ts'

/** Where series are counted once a metric has as many as it may have. */
const overflowLabel = 'other'
const defaultMaxSeries = 1_000

type Collect = () => void | Promise<void>

export interface MetricsSettings {
  /** Told when collecting a metric fails; the metric then keeps its last value. */
  log?: Pick<FastifyBaseLogger, 'warn'>
}

/** Metrics of this process: plain integers, read at scrape time. */
export function createMetrics (settings: MetricsSettings = {}): Metrics {
  return new MetricsRegistry(settings)
}

class MetricsRegistry implements Metrics {
  readonly #log: MetricsSettings['log']
  readonly #metrics = new Map<string, { metric: AnyMetric, collects: Collect[] }>()
  readonly #listeners = new Set<(metric: AnyMetric) => void>()

  constructor ({ log }: MetricsSettings) {
    this.#log = log
  }

  counter (options: MetricOptions): Metric<CounterSeries> {
    return this.#existing<Metric<CounterSeries>>('counter', options) ?? this.#add('counter', options, () => new Counter())
  }

  gauge ({ collect, ...options }: Parameters<Metrics['gauge']>[0]): Metric<GaugeSeries> {
    const gauge = this.#existing<Metric<GaugeSeries>>('gauge', options) ?? this.#add<GaugeSeries>('gauge', options, () => new Gauge())
    if (collect !== undefined) this.#metrics.get(options.name)!.collects.push(() => collect(gauge))
    return gauge
  }

  histogram ({ bucketBounds, ...options }: Parameters<Metrics['histogram']>[0]): Histogram {
    const bounds = Object.freeze([...bucketBounds].sort((a, b) => a - b))
    return this.#existing<Histogram>('histogram', options) ??
      this.#add<HistogramSeries, Histogram>('histogram', options, () => new Buckets(bounds), { bucketBounds: bounds })
  }

  async read (): Promise<readonly AnyMetric[]> {
    const all = Array.from(this.#metrics.values(), ({ metric }) => metric)
    await Promise.all(all.map(metric => metric.refresh()))
    return all
  }

  onMetric (listener: (metric: AnyMetric) => void): () => void {
    this.#listeners.add(listener)
    for (const { metric } of this.#metrics.values()) listener(metric)
    return () => { this.#listeners.delete(listener) }
  }

  #existing<M extends AnyMetric> (kind: M['kind'], { name, labels = [] }: MetricOptions): M | undefined {
    const metric = this.#metrics.get(name)?.metric
    if (metric === undefined) return undefined
    const [is, asked] = [metric, { kind, labels }].map(m => `a ${m.kind} by (${m.labels.join(', ')})`) as [string, string]
    if (is !== asked) throw new FST_RSP_METRIC_CONFLICT(name, is, asked)
    return metric as M
  }

  #add<Series, M extends Metric<Series> = Metric<Series>> (kind: AnyMetric['kind'], options: MetricOptions, make: () => Series, more = {}): M {
    const collects: Collect[] = []
    const refresh = () => refreshed(collects, error => this.#log?.warn({ err: error, metric: options.name }, 'collecting a metric failed'))
    const metric = { kind, ...seriesOf(options, make), refresh, ...more } as unknown as M
    this.#metrics.set(options.name, { metric: metric as unknown as AnyMetric, collects })
    for (const listener of this.#listeners) listener(metric as unknown as AnyMetric)
    return metric
  }
}

async function refreshed (collects: readonly Collect[], onError: (error: unknown) => void): Promise<void> {
  for (const collect of collects) {
    try {
      await collect()
    } catch (error) {
      // One metric that cannot be collected must not hide the others.
      onError(error)
    }
  }
}

function seriesOf<Series> ({ name, help, labels = [], maxSeries = defaultMaxSeries }: MetricOptions, make: () => Series) {
  const names = Object.freeze([...labels])
  const overflow = names.map(() => overflowLabel)
  // Values come from routes and options, so they may hold anything but this separator.
  const keyOf = (values: LabelValues) => values.length === 1 ? values[0]! : values.join('\u0000')
  const all = new Map<string, readonly [LabelValues, Series]>()
  const create = (values: LabelValues): Series => {
    const bounded = all.size < maxSeries || values.length === 0 ? values : overflow
    const known = all.get(keyOf(bounded))
    if (known !== undefined) return known[1]
    const series = make()
    all.set(keyOf(bounded), [Object.freeze([...bounded]), series])
    return series
  }
  return {
    name,
    help,
    labels: names,
    of (...values: string[]) {
      if (values.length !== names.length) throw new FST_RSP_METRIC_LABELS(name, names.length, values.length)
      return all.get(keyOf(values))?.[1] ?? create(values)
    },
    entries: () => all.values()
  }
}

class Counter implements CounterSeries {
  value = 0
  inc (by = 1) { this.value += by }
}

class Gauge implements GaugeSeries {
  value = 0
  set (value: number) { this.value = value }
  inc (by = 1) { this.value += by }
}

class Buckets implements HistogramSeries {
  count = 0
  sum = 0
  readonly buckets: number[]
  readonly #bounds: readonly number[]

  constructor (bounds: readonly number[]) {
    this.#bounds = bounds
    this.buckets = new Array(bounds.length + 1).fill(0)
  }

  observe (value: number) {
    const bounds = this.#bounds
    let i = 0
    while (i < bounds.length && value > bounds[i]!) i++
    this.buckets[i]!++
    this.count++
    this.sum += value
  }
}
