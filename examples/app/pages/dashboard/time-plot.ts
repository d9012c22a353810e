import type UPlot from 'uplot'
import { keptSeconds } from '../../src/dashboard/frame.ts'
import { axisInTheme, Chart, type ChartOptions, withText } from '../chart.ts'
import { make } from '../elements.ts'
import { clockMinute } from '../figures.ts'
import { themeColor } from '../theme.ts'
import type { Line } from './line.ts'
import { MinuteTable } from './minute-table.ts'
import type { Seconds } from './seconds.ts'

const heightPx = 200
// Told apart without colours too.
const dashes = [[], [8, 4], [2, 3], [12, 3, 2, 3]]
// On a log scale the powers of ten are enough.
const powers = (_: UPlot, splits: number[]) => splits.map(value => Number.isInteger(Math.log10(value)) ? value : null)
const logOnly = ({ grid, ticks }: UPlot.Axis): UPlot.Axis => ({ filter: powers, grid: { ...grid, filter: powers }, ticks: { ...ticks, filter: powers } })
const lowestLogMs = 0.001
const highestLogMs = 10_000

/** Lines over the last 15 minutes, with what they are called and a table that says the same. */
export class TimePlot {
  readonly #place: HTMLElement
  readonly #lines: readonly Line[]
  readonly #seconds: Seconds
  readonly #log: boolean
  readonly #chart: Chart
  readonly #table: MinuteTable

  /** @param options.log - the scale on the left is of milliseconds and logarithmic */
  constructor (figure: HTMLElement, lines: readonly Line[], { seconds, log = false }: { seconds: Seconds, log?: boolean }) {
    this.#lines = lines
    this.#seconds = seconds
    this.#log = log
    this.#place = make('div')
    this.#place.className = 'plot'
    this.#place.role = 'img'
    const legend = make('figcaption', ...lines.map(({ label }, i) => {
      const key = make('span', label)
      key.className = `key line-${i + 1}`
      return key
    }))
    this.#table = new MinuteTable(figure.dataset.name ?? '', lines, seconds)
    figure.append(this.#place, legend, this.#table.element)
    this.#chart = new Chart(this.#place, () => this.#options(), () => this.#data())
  }

  /** Shows the seconds as they are now. */
  show (): void {
    this.#chart.show()
    const now = this.#lines.map(({ label, values, text }) => {
      const value = values(this.#seconds).at(-1)
      return `${label} ${value === null || value === undefined ? 'unknown' : text(value)}`
    })
    this.#place.toggleAttribute('data-empty', this.#lines.every(({ values }) => values(this.#seconds).every(value => value === null)))
    this.#place.ariaLabel = `The last 15 minutes as lines. Now: ${now.join(', ')}. The table below says it minute by minute.`
    this.#table.show()
  }

  #data (): UPlot.AlignedData {
    const times = this.#seconds.column('atMs').map(ms => ms! / 1_000)
    // A log scale has no zero.
    const shown = (value: number | null) => value === null || !this.#log ? value : Math.min(highestLogMs, Math.max(lowestLogMs, value))
    return [times, ...this.#lines.map(line => line.values(this.#seconds).map(shown))] as UPlot.AlignedData
  }

  #options (): ChartOptions {
    const axis = axisInTheme({ widthPx: 78 })
    const left = this.#lines.find(line => line.right === undefined)!
    const right = this.#lines.find(line => line.right)
    const upward: UPlot.Scale = { range: (_, __, highest) => [0, Math.max(1, (highest || 0) * 1.1)] }
    return {
      height: withText(heightPx),
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: true, range: (_, __, last) => [last - keptSeconds, last] },
        y: this.#log ? { distr: 3, range: [lowestLogMs, highestLogMs] } : upward,
        ...(right && { right: upward })
      },
      axes: [
        { ...axisInTheme(), values: (_, splits) => splits.map(seconds => clockMinute(seconds * 1_000)) },
        { ...axis, ...(this.#log && logOnly(axis)), values: (_, splits) => splits.map(value => value === null ? '' : (left.tick ?? left.text)(value)) },
        ...(right ? [{ ...axisInTheme({ widthPx: 72 }), scale: 'right', side: 1 as const, grid: { show: false }, values: (_: UPlot, splits: number[]) => splits.map(right.text) }] : [])
      ],
      series: [{}, ...this.#lines.map((line, i): UPlot.Series => ({
        label: line.label, scale: line.right ? 'right' : 'y', stroke: themeColor(`--line-${i + 1}`), width: 2, dash: dashes[i]!, points: { show: false }
      }))]
    }
  }
}
