export { Cache } from './cache.ts'
export {
  FST_RSP_CACHE_BATCH_INVALID, FST_RSP_CACHE_CALL_OPTION_INVALID, FST_RSP_CACHE_EVENT_UNKNOWN, FST_RSP_CACHE_FILL_FAILED, FST_RSP_CACHE_FILL_TIMEOUT,
  FST_RSP_CACHE_KEY_INVALID, FST_RSP_CACHE_NAMESPACE_TAKEN, FST_RSP_CACHE_NAMESPACES_TOO_MANY,
  FST_RSP_CACHE_NOT_SERIALISABLE, FST_RSP_CACHE_PATTERN_HASHED, FST_RSP_CACHE_PATTERN_INVALID, FST_RSP_CACHE_QUEUE_LOST, FST_RSP_CACHE_ROUTE_METHOD,
  FST_RSP_CACHE_TAG_INVALID, FST_RSP_CACHE_TAGS_TOO_MANY, FST_RSP_CACHE_TTL_OUT_OF_BOUNDS, FST_RSP_CACHE_VARY_BY_INVALID
} from './errors.ts'
export { type CacheEventMap, type CacheEventName, type CacheListener } from './events.ts'
export { type FillContext } from './fill-context.ts'
export { type GetOrSetManyOptions, type GetOrSetOptions, type SetOptions } from './get-or-set-options.ts'
export { keys } from './keys.ts'
export { type LoadMissing } from './missing-batch.ts'
export { metrics } from './metrics.ts'
export { type NamespaceOptions } from './namespace-options.ts'
export { type CachePluginOptions, type CompressionOptions, optionsSchema } from './options.ts'
export { cache, default } from './plugin.ts'
export { type MissReason, type ReadOptions, type ReadReport } from './read-report.ts'
export { type WithTtl } from './reading.ts'
export { type RouteCacheOptions, routeOptionsSchema } from './route/options.ts'
export { type CacheStats } from './stats.ts'
