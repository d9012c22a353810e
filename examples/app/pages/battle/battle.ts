import { nowMs } from '../clock.ts'
import { element } from '../elements.ts'
import { figure } from '../figures.ts'
import { prefersReducedMotion } from '../theme.ts'
import { runLane } from './lane.ts'
import { type LaneName, LatencyPlot } from './latency-plot.ts'
import { resultLine, showStanding, type Standing } from './scoreboard.ts'
import { type Answer, factorOf, type Outcome, summarize } from './summary.ts'

// Each keeps the server and this page within what a demonstration may ask of them.
const maxRequests = 20_000
const redrawMs = prefersReducedMotion() ? 1_000 : 200

const urls: Record<LaneName, string> = {
  uncached: '/weather?lat=52&lon=13&mock=true&cache=false',
  cached: '/weather?lat=52&lon=13&mock=true'
}
// Below this most answers of the cached lane came from the slow API, too.
const leastFactor = 1.5
const outcomes: Record<string, Outcome> = { HIT: 'hit', MISS: 'miss', BYPASS: 'uncached' }

const form = element<HTMLFormElement>('battle-form')
const start = element<HTMLButtonElement>('battle-start')
const stop = element<HTMLButtonElement>('battle-stop')
const copy = element<HTMLButtonElement>('battle-copy')
const status = element('battle-status')
const line = element<HTMLOutputElement>('battle-line')

const plot = new LatencyPlot(element('battle-plot'), chosen().durationMs)
let running: AbortController | undefined

function chosen (): { concurrency: number, durationMs: number } {
  const data = new FormData(form)
  return { concurrency: Number(data.get('concurrency')), durationMs: Number(data.get('seconds')) * 1_000 }
}

async function ask (lane: LaneName, signal: AbortSignal): Promise<Outcome> {
  const response = await fetch(urls[lane], { cache: 'no-store', credentials: 'omit', signal, headers: { accept: 'application/json' } })
  await response.arrayBuffer()
  return (response.ok ? outcomes[response.headers.get('x-cache') ?? ''] : undefined) ?? 'failed'
}

async function battle (): Promise<void> {
  const { concurrency, durationMs } = chosen()
  const { signal } = running = new AbortController()
  const answers: Record<LaneName, Answer[]> = { uncached: [], cached: [] }
  const elapsedMs: Partial<Record<LaneName, number>> = {}
  const startedMs = nowMs()
  const summaryOf = (lane: LaneName) => summarize(answers[lane], elapsedMs[lane] ?? nowMs() - startedMs)
  const show = () => {
    const standing: Standing = { uncached: summaryOf('uncached'), cached: summaryOf('cached') }
    showStanding(standing)
    plot.show()
    return standing
  }
  const run = async (lane: LaneName) => {
    const onAnswer = (answer: Answer) => {
      answers[lane].push(answer)
      plot.add(lane, answer)
    }
    elapsedMs[lane] = await runLane({ ask: signal => ask(lane, signal), concurrency, durationMs, maxRequests, signal, nowMs, onAnswer })
  }

  plot.reset(durationMs)
  showBegun(concurrency)
  const redraw = setInterval(show, redrawMs)
  await Promise.all([run('uncached'), run('cached')])
  clearInterval(redraw)
  const standing = show()
  const failed = standing.uncached.failed + standing.cached.failed
  // Of a battle that was cut short the figures say less.
  const helped = signal.aborted || failed > 0 || (factorOf(standing.cached, standing.uncached) ?? Infinity) >= leastFactor
  showEnded(resultLine(standing, concurrency), { stopped: signal.aborted, failed, helped })
}

function showBegun (concurrency: number): void {
  line.value = ''
  stop.disabled = false
  // A button that cannot be pressed lets the keyboard's place go.
  if (document.activeElement === start || document.activeElement === copy) stop.focus()
  copy.disabled = start.disabled = true
  status.textContent = `Both lanes run, ${concurrency} at once each.`
}

function showEnded (result: string | undefined, { stopped, failed, helped }: { stopped: boolean, failed: number, helped: boolean }): void {
  const how = `${stopped ? 'Stopped' : 'Done'}${failed === 0 ? '' : `; ${figure(failed)} requests failed, and the figures are of the others`}.${helped ? '' : ' The cache was of no help: is its Redis away? The dashboard tells.'}`
  status.textContent = result === undefined ? `${how} There is nothing to compare: the server gave no answer in one of the lanes.` : how
  line.value = result ?? ''
  copy.disabled = result === undefined
  start.disabled = false
  if (document.activeElement === stop) start.focus()
  stop.disabled = true
}

form.addEventListener('submit', event => {
  event.preventDefault()
  battle()
})
stop.addEventListener('click', () => { running?.abort() })
copy.addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText(line.value)
    status.textContent = 'Copied.'
  } catch {
    // No clipboard over plain http from elsewhere, or it was refused.
    getSelection()?.selectAllChildren(line)
    status.textContent = 'The line is selected: copy it with the keyboard.'
  }
})
