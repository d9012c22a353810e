import UPlot from 'uplot'
import { onThemeChange, themeColor } from './theme.ts'

/** How a chart is drawn: all but its width, which is that of its place. */
export type ChartOptions = Omit<UPlot.Options, 'width'>

const usualTextPx = 16

/** So many pixels where text has its usual size, and as many more as it is larger: a chart grows with what is written beside it. */
export function withText (px: number): number {
  return px * parseFloat(getComputedStyle(document.documentElement).fontSize) / usualTextPx
}

/** Axes in the colours and the size of text of the moment; a scale at a side takes so much of the width. */
export function axisInTheme ({ widthPx }: { widthPx?: number } = {}): UPlot.Axis {
  const line = { stroke: themeColor('--line'), width: 1 }
  const font = `${withText(12)}px system-ui, sans-serif`
  return { stroke: themeColor('--quiet'), grid: line, ticks: { ...line, size: withText(10) }, font, gap: withText(5), space: withText(widthPx === undefined ? 70 : 30), size: withText(widthPx ?? 50) }
}

/** A chart as wide as its place, in the colours of the theme, whatever becomes of the two. */
export class Chart {
  readonly #place: HTMLElement
  readonly #options: () => ChartOptions
  readonly #data: () => UPlot.AlignedData
  #drawn: UPlot

  /** @param options - asked for whenever it is drawn anew, with colours of then */
  constructor (place: HTMLElement, options: () => ChartOptions, data: () => UPlot.AlignedData) {
    this.#place = place
    this.#options = options
    this.#data = data
    this.#drawn = this.#draw()
    let textPx = withText(usualTextPx)
    new ResizeObserver(() => {
      // Axes keep the size of text that they were drawn with.
      const drawnAtPx = textPx
      textPx = withText(usualTextPx)
      if (textPx === drawnAtPx) this.#drawn.setSize({ width: place.clientWidth, height: options().height })
      else this.drawAnew()
    }).observe(place)
    onThemeChange(() => { this.drawAnew() })
  }

  /** Shows the data as they are now. */
  show (): void {
    this.#drawn.setData(this.#data())
  }

  /** Draws it by the options as they are now. */
  drawAnew (): void {
    this.#drawn.destroy()
    this.#drawn = this.#draw()
  }

  #draw (): UPlot {
    return new UPlot({ width: this.#place.clientWidth, ...this.#options() }, this.#data(), this.#place)
  }
}
