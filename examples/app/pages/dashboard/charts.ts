import type { SampleField } from '../../src/dashboard/frame.ts'
import { element } from '../elements.ts'
import { bytes, figure, milliseconds, percent } from '../figures.ts'
import type { Line } from './line.ts'
import type { Seconds } from './seconds.ts'
import { TimePlot } from './time-plot.ts'

const ratioSeconds = 10

const line = (label: string, field: SampleField, text: (value: number) => string): Line => ({ label, values: seconds => seconds.column(field), text })
const rate = (label: string, field: SampleField): Line => ({ label, values: seconds => seconds.rates(field), text: value => `${figure(value)}/s` })
const time = (label: string, field: SampleField): Line => ({ ...line(label, field, value => `≈ ${milliseconds(value)}`), tick: milliseconds })

const ratio: Line = { label: 'hits of all reads', values: seconds => Array.from({ length: seconds.length }, (_, i) => seconds.hitRatio(ratioSeconds, i + 1)), text: percent }

/** Every chart of the page, by the figure it is drawn in. */
export function drawCharts (seconds: Seconds): TimePlot[] {
  const chart = (id: string, lines: Line[], options: { log?: boolean } = {}) => new TimePlot(element(id), lines, { seconds, ...options })
  return [
    chart('chart-ratio', [ratio]),
    chart('chart-operations', [rate('hits, this process', 'hitsL1'), rate('hits, the store', 'hitsL2'), rate('misses', 'misses'), rate('stored', 'fills')]),
    chart('chart-latency', [time('this process', 'l1P99Ms'), time('beyond it', 'l2P99Ms'), time('the source', 'factoryP99Ms'), time('Redis commands', 'redisP99Ms')], { log: true }),
    chart('chart-entries', [line('entries', 'entries', figure), { ...line('bytes', 'bytes', bytes), right: true }]),
    chart('chart-drops', [rate('invalidated', 'invalidations'), rate('evicted', 'evictions')]),
    chart('chart-decisions', [rate('allowed', 'allowed'), rate('refused', 'refused')]),
    chart('chart-sessions', [rate('begun', 'sessionsCreated'), rate('ended', 'sessionsEnded')]),
    chart('chart-redis', [time('half of the commands within', 'redisP50Ms'), time('99 of 100 within', 'redisP99Ms')], { log: true })
  ]
}
