import { nowMs } from '../clock.ts'
import { element } from '../elements.ts'
import { prefersReducedMotion } from '../theme.ts'
import { type Answer, messageOf, refusalText, retryAfterSeconds } from './answer.ts'
import { ask } from './ask.ts'
import { type Budget, budgetsOf, budgetText, fullness, type Returns, returnsAfter, secondsUntil } from './budget.ts'
import { Visitor } from './visitor.ts'

const redrawMs = prefersReducedMotion() ? 1_000 : 100
const keptAnswers = 8
/** Those the page has a meter for; the server may have limits for all its routes beside them. */
const shown = ['ping-5s', 'ping-minute']

const button = element<HTMLButtonElement>('limit-ping')
const status = element('limit-status')
const log = element('limit-log')

// A user of its own, whom no other stage logs out.
const visitor = new Visitor()
const budgets = new Map<string, { budget: Budget, returns: Returns }>()
const waits = new Map<HTMLElement, number>()
let token: string | undefined
let redraw: ReturnType<typeof setInterval> | undefined

async function ping (): Promise<void> {
  token ??= await loggedIn()
  if (token === undefined) return
  const answer = await ask('GET', '/ping', { token })
  if (answer.status === 401) token = undefined
  take(answer)
  report(answer)
  redraw ??= setInterval(draw, redrawMs)
  draw()
}

async function loggedIn (): Promise<string | undefined> {
  status.textContent = 'Signing up and logging in …'
  const login = await visitor.logIn()
  if (login.token === undefined) status.textContent = `No log-in. ${login.why}`
  return login.token
}

function take (answer: Answer): void {
  for (const budget of budgetsOf(answer.headers).filter(({ name }) => shown.includes(name))) {
    const before = budgets.get(budget.name)?.returns ?? []
    budgets.set(budget.name, { budget, returns: returnsAfter(before, budget, { nowMs: answer.atMs, granted: answer.status === 200 }) })
  }
}

function report (answer: Answer): void {
  const line = document.createElement('li')
  line.dataset.status = String(answer.status)
  const waitSeconds = retryAfterSeconds(answer)
  if (answer.status !== 429 || waitSeconds === undefined) {
    line.textContent = answer.status === 200 ? '200: granted.' : refusalText(answer)
    status.textContent = answer.status === 200 ? 'Granted.' : refusalText(answer)
  } else {
    const wait = document.createElement('span')
    waits.set(wait, answer.atMs + waitSeconds * 1_000)
    line.append(`429: ${messageOf(answer)} `, wait)
    // Read out once; the line counts down without a word.
    status.textContent = `Refused for ${waitSeconds} s.`
  }
  log.prepend(line)
  while (log.childElementCount > keptAnswers) log.lastElementChild!.remove()
}

function draw (): void {
  const atMs = nowMs()
  let busy = false
  for (const [name, { budget, returns }] of budgets) {
    drawBudget(name, fullness(returns, budget, atMs), budgetText(returns, budget.limit, atMs))
    busy ||= returns.some(returnsMs => returnsMs > atMs)
  }
  for (const [wait, untilMs] of waits) {
    const seconds = secondsUntil(untilMs, atMs)
    wait.textContent = seconds > 0 ? `Try again in ${seconds} s.` : 'The wait is over.'
    if (seconds === 0 || !wait.isConnected) waits.delete(wait)
  }
  if (busy || waits.size > 0) return
  clearInterval(redraw)
  redraw = undefined
}

function drawBudget (name: string, part: number, text: string): void {
  const meter = element(`budget-${name}`)
  meter.style.setProperty('--part', String(part))
  meter.ariaValueNow = part.toFixed(2)
  meter.ariaValueText = text
  element(`budget-${name}-text`).textContent = text
}

// One at a time: what is shown is in the order of the answers.
let last = Promise.resolve()
button.addEventListener('click', () => { last = last.then(ping) })
