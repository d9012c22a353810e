import { make } from '../elements.ts'
import { clockMinute, unknown } from '../figures.ts'
import type { Line } from './line.ts'
import type { Seconds } from './seconds.ts'
import { fillRows } from './tables.ts'

const minuteMs = 60_000

/** What a chart shows as a table: the mean of each minute. It is worked out while somebody has it open. */
export class MinuteTable {
  readonly element: HTMLDetailsElement
  readonly #body = make('tbody')
  readonly #lines: readonly Line[]
  readonly #seconds: Seconds

  constructor (name: string, lines: readonly Line[], seconds: Seconds) {
    this.#lines = lines
    this.#seconds = seconds
    const heads = ['Minute', ...lines.map(({ label }) => label)].map(text => {
      const head = make('th', text)
      head.scope = 'col'
      return head
    })
    const summary = make('summary', 'As a table')
    summary.ariaLabel = `${name} as a table`
    const scroll = make('div', make('table', make('caption', `${name}: the mean of each minute`), make('thead', make('tr', ...heads)), this.#body))
    scroll.className = 'scroll'
    // Whoever has no mouse scrolls it, too.
    scroll.tabIndex = 0
    scroll.role = 'region'
    scroll.ariaLabel = summary.ariaLabel
    this.element = make('details', summary, scroll)
    this.element.addEventListener('toggle', () => { this.show() })
  }

  /** Shows the seconds as they are now, if it is open. */
  show (): void {
    if (!this.element.open) return
    const minutes = Map.groupBy(this.#seconds.column('atMs').keys(), i => Math.floor(this.#seconds.column('atMs')[i]! / minuteMs))
    const columns = this.#lines.map(line => line.values(this.#seconds))
    fillRows(this.#body, Array.from(minutes, ([minute, places]) => [
      clockMinute(minute * minuteMs),
      ...columns.map((column, i) => meanOf(places.map(place => column[place] ?? null), this.#lines[i]!.text))
    ]).reverse())
  }
}

function meanOf (values: ReadonlyArray<number | null>, text: (value: number) => string): string {
  const known = values.filter(value => value !== null)
  return known.length === 0 ? unknown : text(known.reduce((sum, value) => sum + value, 0) / known.length)
}
