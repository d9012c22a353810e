import { inspect } from 'node:util'
import { FST_RSP_SESSION_REMEMBER } from './errors.ts'
import type { ResolvedOptions } from './resolved-options.ts'

/**
 * The two ends of a new session, ms from its log-in.
 * @param remember - what the login said; from a form it may be anything
 * @throws FST_RSP_SESSION_REMEMBER
 */
export function lifetimeOf ({ idle, absolute, remember: ends }: Pick<ResolvedOptions, 'idle' | 'absolute' | 'remember'>, remember: boolean): { readonly idle: number, readonly absolute: number } {
  if (typeof remember !== 'boolean') throw new FST_RSP_SESSION_REMEMBER(`'remember' must be true or false, got ${inspect(remember, { depth: 0, maxStringLength: 40 })}`)
  if (!remember) return { idle, absolute }
  if (ends === undefined) throw new FST_RSP_SESSION_REMEMBER("remember: true needs the option 'remember': { idle, absolute }, such as { idle: '30d', absolute: '90d' }")
  return ends
}
