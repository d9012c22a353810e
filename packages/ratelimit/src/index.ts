export { default, rateLimit } from './plugin.ts'
export { type BanOptions } from './ban-options.ts'
export { type CostOf } from './cost.ts'
export {
  FST_RSP_RATELIMIT_ALLOW_INVALID, FST_RSP_RATELIMIT_BODY_INVALID, FST_RSP_RATELIMIT_COST_INVALID, FST_RSP_RATELIMIT_DENIED, FST_RSP_RATELIMIT_DENY_INVALID,
  FST_RSP_RATELIMIT_EXEMPT_INVALID, FST_RSP_RATELIMIT_FULL,
  FST_RSP_RATELIMIT_KEY_INVALID, FST_RSP_RATELIMIT_LIMIT_INVALID, FST_RSP_RATELIMIT_NAME_TAKEN, FST_RSP_RATELIMIT_ROUTE_INVALID,
  FST_RSP_RATELIMIT_STORE_DOWN, FST_RSP_RATELIMIT_TIER_INVALID, FST_RSP_RATELIMIT_TWICE, FST_RSP_RATELIMIT_UNKNOWN, RATE_LIMITED
} from './errors.ts'
export { type BannedCaller, type Exceeded, type ExceededLimit, type OnBanned, type OnExceeded } from './events.ts'
export { type Exempt } from './http/exemption.ts'
export { type Problem } from './http/problem.ts'
export { type ErrorBuilder, type Refusal, type Violation } from './http/refusal.ts'
export { type LimitUse, type RouteRateLimit } from './http/route-limits.ts'
export { keys } from './keys.ts'
export { type LeaseOptions } from './leases/lease-options.ts'
export { type CountedBy, type KeyOf, type LimitOptions, type OnStoreError } from './limit.ts'
export { type AppLoadOptions, type LoadOptions } from './load-options.ts'
export { type DelayOptions } from './delay-options.ts'
export { type LimitChange } from './limit-changes.ts'
export { metrics } from './metrics.ts'
export { type HeaderForm, optionsSchema, type RateLimitOptions } from './options.ts'
export { type CountedOutcome, type CountIf } from './outcome-count.ts'
export { presets } from './presets.ts'
export { type Decision, type LimitStats, type RateLimit, type RateLimitStats } from './rate-limit.ts'
export { type AlgorithmName } from './rule.ts'
export { type AnsweredBy } from './stores/store.ts'
export { type LimitFor, type Tier } from './tier.ts'
export { type RefusedCaller } from './top-refused.ts'
