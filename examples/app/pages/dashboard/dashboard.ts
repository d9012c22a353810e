import type { History, Second } from '../../src/dashboard/frame.ts'
import { wallMs } from '../clock.ts'
import { element, say } from '../elements.ts'
import { clockTime, figure, percent } from '../figures.ts'
import { prefersReducedMotion } from '../theme.ts'
import { drawCharts } from './charts.ts'
import { Seconds } from './seconds.ts'
import { showAnswers } from './show-answers.ts'
import { showTotals } from './show-totals.ts'
import { Stream } from './stream.ts'

const glanceSeconds = 10
const ratioSeconds = 60
const redrawEverySeconds = prefersReducedMotion() ? 5 : 1

const seconds = new Seconds()
const charts = drawCharts(seconds)
let lostAtMs: number | undefined
let undrawn = 0

function showSeconds (): void {
  undrawn = 0
  say('figure-ratio', percent(seconds.hitRatio(ratioSeconds)))
  const operations = (['hitsL1', 'hitsL2', 'misses', 'fills', 'invalidations'] as const).map(field => seconds.rate(field, glanceSeconds))
  say('figure-operations', figure(operations.reduce((sum, rate) => sum + rate, 0)))
  for (const chart of charts) chart.show()
}

function showHistory ({ rows, resumed, totals, answers, signedIn }: History): void {
  if (!resumed) seconds.clear()
  for (const row of rows) seconds.add(row)
  element('sign-out').hidden = !signedIn
  showTotals(totals)
  if (answers !== null) showAnswers(answers)
  showSeconds()
}

function showSecond ({ row, totals }: Second): void {
  seconds.add(row)
  showTotals(totals)
  if (++undrawn >= redrawEverySeconds && !document.hidden) showSeconds()
}

element('sign-out').addEventListener('click', async () => {
  const response = await fetch('/dashboard/sign-out', { method: 'POST' })
  await response.arrayBuffer()
  location.assign('/dashboard')
})

const connection = (mood: 'good' | 'warn' | 'bad', text: string) => {
  element('connection').dataset.mood = mood
  say('connection', text)
}

new Stream({
  onHistory: showHistory,
  onSecond: showSecond,
  onAnswers: showAnswers,
  onLive () {
    lostAtMs = undefined
    connection('good', '● live')
  },
  onLost () {
    lostAtMs ??= wallMs()
    connection('bad', `✖ lost at ${clockTime(lostAtMs)}, trying again; what is shown is from before`)
  },
  onCrowded () {
    connection('warn', '▲ too many watch this dashboard just now; it is tried again until one of them leaves, or come back later')
  }
}).start()
