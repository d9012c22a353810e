import { element } from '../elements.ts'
import { figure, milliseconds } from '../figures.ts'
import type { LaneName } from './latency-plot.ts'
import { factorOf, type Summary } from './summary.ts'

/** Both lanes as they stand. */
export type Standing = Readonly<Record<LaneName, Summary>>

const factorShown = element('battle-factor')

/** Shows both lanes, and how many times the answers of the one the other gives. */
export function showStanding (standing: Standing): void {
  showLane('uncached', standing)
  showLane('cached', standing)
  const factor = factorOf(standing.cached, standing.uncached)
  factorShown.textContent = factor === undefined ? '? ×' : `${figure(factor)} ×`
}

function showLane (lane: LaneName, { [lane]: summary }: Standing): void {
  const show = (name: string, text: string) => { element(`${lane}-${name}`).textContent = text }
  show('answers', figure(summary.answers))
  show('per-second', figure(summary.perSecond))
  show('p50', milliseconds(summary.p50Ms))
  show('p95', milliseconds(summary.p95Ms))
  show('p99', milliseconds(summary.p99Ms))
  show('hits', lane === 'cached' ? `${figure(summary.hits)} hits, ${figure(summary.misses)} ${summary.misses === 1 ? 'miss' : 'misses'}` : 'no cache')
  show('failed', figure(summary.failed))
}

/** The result in a line, to be copied; undefined where there is nothing to compare. */
export function resultLine ({ uncached, cached }: Standing, concurrency: number): string | undefined {
  const factor = factorOf(cached, uncached)
  if (factor === undefined) return undefined
  const lane = ({ perSecond, p50Ms, p99Ms, failed }: Summary) =>
    `${figure(perSecond)}/s (p50 ${milliseconds(p50Ms)}, p99 ${milliseconds(p99Ms)}${failed === 0 ? '' : `, ${figure(failed)} failed`})`
  return `Respite, a 500 ms upstream, ${concurrency} in flight: ${lane(uncached)} without the cache, ${lane(cached)} with it: ${figure(factor)} ×`
}
