export { type ChangeMessage } from './change-message.ts'
export { type Definition, type Strategy, type Targets, type Texts } from './definition.ts'
export {
  FST_RSP_INVALIDATOR_DEFINED, FST_RSP_INVALIDATOR_DEFINITION_INVALID, FST_RSP_INVALIDATOR_DEFINITIONS_TOO_MANY, FST_RSP_INVALIDATOR_NOT_VERSIONED,
  FST_RSP_INVALIDATOR_ROUTE_INVALID, FST_RSP_INVALIDATOR_ROUTE_METHOD, FST_RSP_INVALIDATOR_TARGETS_INVALID, FST_RSP_INVALIDATOR_WARM_UP_INVALID,
  FST_RSP_INVALIDATOR_WHAT_INVALID
} from './errors.ts'
export { type ChangeReport, Invalidator } from './invalidator.ts'
export { keys } from './keys.ts'
export { metrics } from './metrics.ts'
export { type Mutation, type Write } from './mutation.ts'
export { type InvalidatorOptions, optionsSchema } from './options.ts'
export { default, invalidator } from './plugin.ts'
export { type RouteDrops } from './route-drops.ts'
export { type WarmContext, type WarmEntry, type WarmUpOptions, type WarmUpReport } from './warm-up.ts'
export { type EntityChange, type What } from './what.ts'
