import { inspect } from 'node:util'

/** A value as errors and logs show it: on one line, texts cut at 40 characters, and nothing of what lies deeper than its own fields. */
export const shownValue = (value: unknown) => inspect(value, { depth: 0, breakLength: Infinity, maxStringLength: 40 })
