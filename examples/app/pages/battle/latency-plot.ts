import type UPlot from 'uplot'
import { axisInTheme, Chart, type ChartOptions, withText } from '../chart.ts'
import { themeColor } from '../theme.ts'
import type { Answer } from './summary.ts'

/** The lanes of the plot, in the order of their series. */
export type LaneName = 'uncached' | 'cached'

const laneNames: readonly LaneName[] = ['uncached', 'cached']
const heightPx = () => Math.max(withText(240), Math.min(700, innerHeight * 0.35))
// The axis of a log scale shows every power of ten within what was measured.
const lowestMs = 0.1
const highestMs = 10_000

const duration = (ms: number) => ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`

/** Every answer as a point: when it came, and how long it took, on a log scale. */
export class LatencyPlot {
  readonly #times: number[] = []
  readonly #latencies: Record<LaneName, Array<number | null>> = { uncached: [], cached: [] }
  readonly #chart: Chart
  #durationMs: number

  /** @param durationMs - where the axis of time ends at first */
  constructor (place: HTMLElement, durationMs: number) {
    this.#durationMs = durationMs
    this.#chart = new Chart(place, () => this.#options(), () => this.#data())
  }

  /** Starts anew. */
  reset (durationMs: number): void {
    for (const values of [this.#times, ...laneNames.map(name => this.#latencies[name])]) values.length = 0
    this.#durationMs = durationMs
    this.#chart.drawAnew()
  }

  /** Answers are added as they come; `show` draws them. */
  add (lane: LaneName, { atMs, latencyMs, outcome }: Answer): void {
    if (outcome === 'failed') return
    // Both lanes began together, but their clocks are read one after the other: time never goes back on an axis.
    this.#times.push(Math.max(atMs / 1_000, this.#times.at(-1) ?? 0))
    for (const name of laneNames) this.#latencies[name].push(name === lane ? Math.min(highestMs, Math.max(lowestMs, latencyMs)) : null)
  }

  show (): void {
    this.#chart.show()
  }

  #data (): UPlot.AlignedData {
    return [this.#times, ...laneNames.map(name => this.#latencies[name])] as UPlot.AlignedData
  }

  #options (): ChartOptions {
    const lane = (label: string, color: `--${string}`, size: number): UPlot.Series => ({
      label, stroke: themeColor(color), fill: themeColor(color), paths: () => null, points: { show: true, size: withText(size), width: 0, fill: themeColor(color) }
    })
    return {
      height: heightPx(),
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, range: (_, __, last) => [0, Math.max(this.#durationMs / 1_000, last)] },
        y: { distr: 3, range: [lowestMs, highestMs] }
      },
      axes: [
        { ...axisInTheme(), values: (_, splits) => splits.map(seconds => `${seconds} s`) },
        { ...axisInTheme({ widthPx: 70 }), values: (_, splits) => splits.map(ms => Number.isInteger(Math.log10(ms)) ? duration(ms) : '') }
      ],
      series: [{}, lane('without the cache', '--without', 6), lane('with the cache', '--with', 4)]
    }
  }
}
