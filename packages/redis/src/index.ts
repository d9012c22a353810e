export { type Bus, type BusListener, type GapReason, type MessageInfo, type PublishOptions, type SubscribeOptions } from './bus/bus.ts'
export { type Checked, defineTopic, type StandardSchema, type TopicOptions, type TypedTopic } from './bus/topic-definition.ts'
export { type Clock, systemClock } from './clock.ts'
export { type ClientIp, type Contracts, type DropReport, type DropTargets, type Identity, type Invalidation } from './contracts.ts'
export { type Duration, durationMs } from './duration.ts'
export {
  FST_RSP_BUS_FROM, FST_RSP_BUS_INVALID, FST_RSP_BUS_JOB_DEADLINE, FST_RSP_BUS_JOB_TAKEN, FST_RSP_BUS_LETTER_ID_INVALID, FST_RSP_BUS_NOT_SERIALISABLE, FST_RSP_BUS_QUEUE_FULL,
  FST_RSP_BUS_QUEUE_TWICE, FST_RSP_BUS_TOO_LARGE, FST_RSP_CLIENT_IP_TRUST, FST_RSP_CONTRACT_MISSING, FST_RSP_CONTRACT_TAKEN, FST_RSP_DURATION_INVALID,
  FST_RSP_METRIC_CONFLICT, FST_RSP_METRIC_LABELS, FST_RSP_OPTION_INVALID, FST_RSP_REDIS_BOOT, FST_RSP_REDIS_CLIENT_UNKNOWN, FST_RSP_REDIS_CLOSED, FST_RSP_REDIS_DOWN,
  FST_RSP_REDIS_EMBEDDED_IN_PRODUCTION, FST_RSP_REDIS_LOST, FST_RSP_REDIS_REPLY, FST_RSP_REDIS_TIMEOUT, FST_RSP_REDIS_TWICE,
  FST_RSP_ROUTE_BEFORE_PLUGIN, FST_RSP_SUBSCRIBER_LOST, type LinkError, type Outcome
} from './errors.ts'
export { type Glob, wild } from './glob.ts'
export { type Health, type HealthPart, type HealthReport, type HealthStatus } from './health.ts'
export { type Invalidations, type LocalCopies, type Mark } from './invalidations/invalidations.ts'
export { type KeyShape, type Keyspace, createKeyspace } from './keyspace.ts'
export { type Features } from './link/features.ts'
export { type Link, type LinkCallback, type LinkState, type RedisArg } from './link/link.ts'
export {
  type AnyMetric, type CounterSeries, type GaugeSeries, type Histogram, type HistogramSeries, type LabelValues, type Metric, type MetricOptions,
  type Metrics
} from './metrics/metrics.ts'
export { bindPromClient, type PromRegistry } from './metrics/prom-client.ts'
export { defineOptions } from './option-schema.ts'
export { type DeadLetter, type DeathReason, type JobHandler, type JobInfo, type Queue, type QueueOptions, type WorkOptions } from './queues/queue.ts'
export { type Chance, randomSecret, randomToken, systemChance } from './random.ts'
export { type Duty, type DutyPhase, type RequestGate, type RouteInfo } from './request-gate.ts'
export { type GivenClient, optionsSchema, type RedisOptions, type ResolvedRedisOptions } from './options.ts'
export { default, redis } from './plugin.ts'
export { isPromiseLike } from './promise-like.ts'
export { type Respite } from './respite.ts'
export { type Script, type ScriptOptions, defineScript, loadScript } from './script.ts'
