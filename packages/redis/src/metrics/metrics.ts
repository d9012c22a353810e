/** Values of a metric's labels, in the order of their names. Bounded sets only: a route's pattern, never a URL or an id. */
export type LabelValues = readonly string[]

export interface MetricOptions {
  name: string
  help: string
  /** @default [] */
  labels?: readonly string[]
  /** Series beyond this many are counted under `other`. @default 1000 */
  maxSeries?: number
}

/** One line of a counter: a plain integer, read at scrape time. */
export interface CounterSeries { inc (by?: number): void, readonly value: number }
export interface GaugeSeries { set (value: number): void, inc (by?: number): void, readonly value: number }
/** `buckets` counts each value once: at the first bound it does not exceed, or last, beyond all bounds. */
export interface HistogramSeries { observe (value: number): void, readonly count: number, readonly sum: number, readonly buckets: readonly number[] }

/** Keep the series at hand in hot paths: `of` looks it up. */
export interface Metric<Series> {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  /** @throws FST_RSP_METRIC_LABELS when there are more or fewer values than labels */
  of (...values: string[]): Series
  /** Every series with its labels' values, as they are now. */
  entries (): Iterable<readonly [LabelValues, Series]>
  /** Runs what collects this metric, if anything does; never rejects. */
  refresh (): Promise<void>
}

export type Histogram = Metric<HistogramSeries> & { readonly bucketBounds: readonly number[] }

/** The port behind which metrics are counted; a prom-client Registry can be bound to it. */
export interface Metrics {
  /**
   * A metric that exists is returned as it is: plugins in several contexts share it.
   * @throws FST_RSP_METRIC_CONFLICT when it exists as another kind or with other labels
   */
  counter (options: MetricOptions): Metric<CounterSeries>
  /** `collect` runs before each reading. */
  gauge (options: MetricOptions & { collect?: (gauge: Metric<GaugeSeries>) => void | Promise<void> }): Metric<GaugeSeries>
  histogram (options: MetricOptions & { bucketBounds: readonly number[] }): Histogram
  /** All metrics, after their `collect` ran. */
  read (): Promise<readonly AnyMetric[]>
  /**
   * Tells of every metric: of those that exist now, and of each that is made.
   * @returns the way to stop
   */
  onMetric (listener: (metric: AnyMetric) => void): () => void
}

export type AnyMetric = Metric<CounterSeries> | Metric<GaugeSeries> | Histogram
