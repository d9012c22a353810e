import { inspect } from 'node:util'
import { FST_RSP_CACHE_KEY_INVALID } from './errors.ts'

/**
 * A key as it is.
 * @throws FST_RSP_CACHE_KEY_INVALID for what is no string
 */
export function checkedKey (key: string): string {
  if (typeof key !== 'string') throw new FST_RSP_CACHE_KEY_INVALID(inspect(key, { depth: 0, maxStringLength: 100 }))
  return key
}
