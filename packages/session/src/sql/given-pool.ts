import { FST_RSP_OPTION_INVALID } from '@respite/redis'

/**
 * A pool that lacks one of these methods is refused where it is given. It is not shown: a URL holds a password.
 * @param store - the function it was given to
 * @param wanted - such as `'a pool of pg'`
 * @throws FST_RSP_OPTION_INVALID
 */
export function checkPool (store: string, pool: unknown, { methods, wanted }: { methods: readonly string[], wanted: string }): void {
  const given = pool as Record<string, unknown> | null | undefined
  if (typeof given === 'object' && given !== null && methods.every(name => typeof given[name] === 'function')) return
  throw new FST_RSP_OPTION_INVALID('@respite/session', `${store}(pool)`, `must be ${wanted}`, given === null ? 'null' : typeof given)
}
