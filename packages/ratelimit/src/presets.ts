import type { LimitOptions } from './limit.ts'

/** Limits most apps want, to be put into `limits` or a route's `config.rateLimit`; each can be spread and changed. */
export const presets = Object.freeze({
  /** 100 a minute and address. */
  api: { name: 'api', limit: 100, per: '1m' },
  /** 5 a minute and address, for log-in; refuses with 503 while the store is away, so that an outage is no chance to guess. */
  auth: { name: 'auth', limit: 5, per: '1m', onStoreError: 'closed' },
  /** 60 a minute and user; visitors are counted by address. */
  user: { name: 'user', limit: 60, per: '1m', by: 'user' }
} as const satisfies Record<string, LimitOptions>)
