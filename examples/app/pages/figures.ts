const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const precise = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })
const timeOfDay = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })
const hourAndMinute = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' })
const kilobyte = 1_024

/** What stands where nothing is known. */
export const unknown = '–'

/** A number for people: three digits below a thousand, whole above. */
export function figure (value: number): string {
  return Math.abs(value) < 1_000 ? precise.format(value) : whole.format(value)
}

/** Milliseconds for people; a dash where there are none. */
export function milliseconds (value: number | null | undefined): string {
  return value === undefined || value === null ? unknown : `${figure(value)} ms`
}

/** A time that is known to lie between two, for people; a dash where there is none. */
export function timeWithin (time: { aboveMs: number, upToMs: number | null } | null): string {
  if (time === null) return unknown
  return time.upToMs === null ? `> ${milliseconds(time.aboveMs)}` : `≤ ${milliseconds(time.upToMs)}`
}

/** A part of a whole, 0 to 1; a dash where there is no whole. */
export function percent (value: number | null | undefined): string {
  return value === undefined || value === null ? unknown : `${figure(value * 100)} %`
}

/** A size for people. */
export function bytes (value: number): string {
  if (value < kilobyte) return `${figure(value)} B`
  return value < kilobyte * kilobyte ? `${figure(value / kilobyte)} KiB` : `${figure(value / kilobyte / kilobyte)} MiB`
}

/** A stretch of time for people. */
export function span (seconds: number): string {
  if (seconds < 60) return `${figure(seconds)} s`
  if (seconds < 3_600) return `${figure(seconds / 60)} min`
  return seconds < 86_400 ? `${figure(seconds / 3_600)} h` : `${figure(seconds / 86_400)} d`
}

/** A time of this day, by the reader's clock. */
export const clockTime = (ms: number) => timeOfDay.format(ms)

/** The same without its seconds. */
export const clockMinute = (ms: number) => hourAndMinute.format(ms)
