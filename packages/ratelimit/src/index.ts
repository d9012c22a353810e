export { default, rateLimit } from './plugin.ts'
export {
  FST_RSP_RATELIMIT_ALLOW_INVALID, FST_RSP_RATELIMIT_BODY_INVALID, FST_RSP_RATELIMIT_COST_INVALID, FST_RSP_RATELIMIT_FULL,
  FST_RSP_RATELIMIT_KEY_INVALID, FST_RSP_RATELIMIT_LIMIT_INVALID,
  FST_RSP_RATELIMIT_NAME_TAKEN, FST_RSP_RATELIMIT_ROUTE_INVALID, FST_RSP_RATELIMIT_STORE_DOWN, FST_RSP_RATELIMIT_TWICE,
  FST_RSP_RATELIMIT_UNKNOWN, RATE_LIMITED
} from './errors.ts'
export { type ErrorBuilder, type Refusal, type Violation } from './http/refusal.ts'
export { type LimitUse, type RouteRateLimit } from './http/route-limits.ts'
export { keys } from './keys.ts'
export { type CountedBy, type KeyOf, type LimitOptions, type OnStoreError } from './limit.ts'
export { type LimitChange } from './limit-changes.ts'
export { metrics } from './metrics.ts'
export { type HeaderForm, optionsSchema, type RateLimitOptions } from './options.ts'
export { presets } from './presets.ts'
export { type Decision, type LimitStats, type RateLimit, type RateLimitStats } from './rate-limit.ts'
export { type AlgorithmName } from './rule.ts'
export { type AnsweredBy } from './stores/store.ts'
export { type RefusedCaller } from './top-refused.ts'
