export { FST_RSP_RATELIMIT_COMPAT_BESIDE, FST_RSP_RATELIMIT_COMPAT_READ, FST_RSP_RATELIMIT_COMPAT_VALUE } from '../errors.ts'
export { type FastifyRateLimitOptions, type FastifyRateLimitStore, type FastifyRateLimitStoreCtor } from './hit-store.ts'
export { normalizeIP } from './normalize-ip.ts'
export {
  type CreateRateLimitOptions, type errorResponseBuilderContext, type HeaderChoice, optionsSchema, type RateLimitHook, type RateLimitOptions, type RateLimitPluginOptions
} from './options.ts'
export { type CompatRateLimit, default, fastifyRateLimit } from './plugin.ts'
export { RespiteStore } from './respite-store.ts'
export { type Allowed, type CallOptions, type Counted } from './standing.ts'
