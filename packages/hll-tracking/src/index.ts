export { default, tracking } from './plugin.ts'
export {
  FST_RSP_TRACKING_BY_INVALID, FST_RSP_TRACKING_HLL_CORRUPT, FST_RSP_TRACKING_K_INVALID, FST_RSP_TRACKING_KEY_MISSING,
  FST_RSP_TRACKING_METRIC_INVALID, FST_RSP_TRACKING_ROUTE_INVALID, FST_RSP_TRACKING_WINDOW, FST_RSP_TRACKING_ZONE
} from './errors.ts'
export { type ActiveCallers } from './active.ts'
export { decodeHyperLogLog, encodeHyperLogLog } from './hyperloglog/encoding.ts'
export { estimate } from './hyperloglog/estimate.ts'
export { Registers } from './hyperloglog/registers.ts'
export { type IdForm } from './identity.ts'
export { type Interval, intervalOf } from './interval.ts'
export { keys } from './keys.ts'
export { metrics } from './metrics.ts'
export { optionsSchema, type TrackingOptions, type Who } from './options.ts'
export { type TrackConfig } from './route-tracking.ts'
export { type TopCaller, type TopOptions, type Tracking } from './tracking.ts'
export { type SeriesOptions } from './series.ts'
export { type UniqueAt, type UniqueCount, type UniqueEstimate, type UniqueInWindow } from './unique-count.ts'
export { type WindowOptions } from './window.ts'
