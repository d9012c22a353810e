const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const yearMs = 365.25 * dayMs

const units: readonly (readonly [string, number])[] = [
  ['ms msec msecs millisecond milliseconds', 1],
  ['s sec secs second seconds', secondMs],
  ['m min mins minute minutes', minuteMs],
  ['h hr hrs hour hours', hourMs],
  ['d day days', dayMs],
  ['w wk wks week weeks', 7 * dayMs],
  ['y yr yrs year years', yearMs]
]
const unitMs = new Map(units.flatMap(([names, ms]) => names.split(' ').map(name => [name, ms] as const)))

/**
 * Milliseconds of a text such as `'1 minute'`, `'1.5h'` or `'500'`; whole.
 * @returns undefined when it names no time above 0
 * @see the format of the packages ms and @lukeed/ms
 */
export function parseTime (text: string): number | undefined {
  const parts = /^(\d*\.?\d+) *([a-z]*)$/.exec(text.toLowerCase())
  const unit = parts === null ? undefined : unitMs.get(parts[2] || 'ms')
  if (unit === undefined) return undefined
  const ms = Math.trunc(Number(parts![1]) * unit)
  return ms > 0 && Number.isSafeInteger(ms) ? ms : undefined
}

const texts = [['second', secondMs, minuteMs], ['minute', minuteMs, hourMs], ['hour', hourMs, dayMs], ['day', dayMs, yearMs], ['year', yearMs, Infinity]] as const

/** A time for people, in its largest unit, rounded: `'1 minute'`, `'2 hours'`, `'0 ms'`. */
export function timeText (ms: number): string {
  for (const [unit, size, below] of texts) {
    if (ms >= below || ms < size) continue
    const count = Math.floor(ms / size + 0.5)
    return `${count} ${unit}${count === 1 ? '' : 's'}`
  }
  return `${ms} ms`
}
