import type { Seconds } from './seconds.ts'

/** A line of a chart. */
export interface Line {
  label: string
  /** What it shows of each second. */
  values: (seconds: Seconds) => Array<number | null>
  /** A value in words. */
  text: (value: number) => string
  /** A value on its axis; by default the same. */
  tick?: (value: number) => string
  /** Its scale is on the right. */
  right?: true
}
