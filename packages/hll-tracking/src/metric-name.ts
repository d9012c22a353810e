import { inspect } from 'node:util'
import { FST_RSP_TRACKING_METRIC_INVALID } from './errors.ts'

/** Bytes a metric's name may have, in UTF-8: it is a part of every key of the metric. */
export const maxMetricBytes = 128

/**
 * Checks the name of a metric.
 * @throws FST_RSP_TRACKING_METRIC_INVALID when it is empty, too long or not well-formed text
 */
export function checkMetric (name: unknown): string {
  if (typeof name === 'string' && name !== '' && name.length <= maxMetricBytes && Buffer.byteLength(name) <= maxMetricBytes && name.isWellFormed()) return name
  throw new FST_RSP_TRACKING_METRIC_INVALID(maxMetricBytes, inspect(name, { depth: 0, maxStringLength: 40, breakLength: Infinity }))
}
