import type { LinkError } from '@respite/redis'

/** Lets what Redis did not answer pass, and throws what is somebody's mistake. */
export function linkErrorOnly (error: unknown): asserts error is LinkError {
  if ((error as Partial<LinkError>).outcome === undefined) throw error
}
