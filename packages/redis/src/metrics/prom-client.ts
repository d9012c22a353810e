import type { AnyMetric, CounterSeries, GaugeSeries, Histogram, Metric, Metrics } from './metrics.ts'

/** One line of the exposition format. */
export interface PromValue {
  value: number
  labels: Record<string, string | number>
  /** Where it is not the metric's own name, such as `x_bucket`. */
  metricName?: string
}

/** What a Registry of prom-client asks of a metric. Its `name` is writable: for OpenMetrics the Registry takes `_total` off. */
export interface PromMetric {
  name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly aggregator: 'sum'
  get (): Promise<{ name: string, help: string, type: string, values: PromValue[], aggregator: string }>
  reset (): void
}

/** The part of prom-client's Registry that is used here, so that prom-client itself is needed by nobody who does not want it. */
export interface PromRegistry {
  registerMetric (metric: never): void
  removeSingleMetric (name: string): void
}

/**
 * Shows all metrics, those to come included, in a Registry of prom-client. Values are read when the Registry is scraped.
 * @returns the way to take them out again
 */
export function bindPromClient (metrics: Metrics, registry: PromRegistry): () => void {
  const names: string[] = []
  const stop = metrics.onMetric(metric => {
    registry.registerMetric(promMetric(metric) as never)
    names.push(metric.name)
  })
  return () => {
    stop()
    for (const name of names) registry.removeSingleMetric(name)
  }
}

function promMetric (metric: AnyMetric): PromMetric {
  return {
    name: metric.name,
    help: metric.help,
    type: metric.kind,
    aggregator: 'sum',
    async get () {
      await metric.refresh()
      const values = 'bucketBounds' in metric ? histogramValues(metric) : plainValues(metric as Metric<CounterSeries | GaugeSeries>)
      return { name: this.name, help: metric.help, type: metric.kind, values, aggregator: 'sum' }
    },
    // The counts belong to the metrics, which other readers share; a Registry may forget only its own.
    reset () {}
  }
}

const labelsOf = (metric: AnyMetric, values: readonly string[]) => Object.fromEntries(metric.labels.map((label, i) => [label, values[i]!]))

function plainValues (metric: Metric<CounterSeries | GaugeSeries>): PromValue[] {
  return Array.from(metric.entries(), ([values, series]) => ({ value: series.value, labels: labelsOf(metric as AnyMetric, values) }))
}

function histogramValues (metric: Histogram): PromValue[] {
  return Array.from(metric.entries()).flatMap(([values, series]) => {
    const labels = labelsOf(metric, values)
    let upTo = 0
    const buckets = series.buckets.map((count, i) => {
      upTo += count
      return { metricName: `${metric.name}_bucket`, value: upTo, labels: { ...labels, le: metric.bucketBounds[i] ?? '+Inf' } }
    })
    return [...buckets, { metricName: `${metric.name}_sum`, value: series.sum, labels }, { metricName: `${metric.name}_count`, value: series.count, labels }]
  })
}
