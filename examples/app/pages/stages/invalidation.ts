import { nowMs } from '../clock.ts'
import { element } from '../elements.ts'
import { figure, milliseconds } from '../figures.ts'
import { type Answer, refusalText } from './answer.ts'
import { ask } from './ask.ts'
import { CopyCards } from './copy-cards.ts'
import { type Copy, Sightings } from './sightings.ts'
import { View } from './view.ts'

// One look after the other for as long as it takes most often, then slower: a watch is at most some 150 requests. Where each takes
// long, it is as many as it needs to say something.
const watchMs = 10_000
const fewestLooks = 20
const quickLooks = 50
const pauseMs = 100
// After so many looks every server behind a proxy has had its turn.
const looksToMeet = 10
// One look in so many is at the store, past the server's own memory.
const looksPerShared = 5
const sharedTitle = 'The store behind (L2)'

const act = element<HTMLButtonElement>('entry-act')
const status = element('entry-status')
const view = new View(element('invalidation-stage'))
const cards = new CopyCards(element('entry-copies'))
const sightings = new Sightings()

let entryId: number | undefined
let version = 0
let watches = 0
let writing = false

const contentOf = (version: number) => `version ${version}`
const cardOf = (instance: string) => `Server ${instance}`

// The first time it writes, then it edits: a visit has one entry.
async function save (): Promise<void> {
  const edited = entryId !== undefined
  watches++ // whoever watches the version before stops
  const body = { title: 'an entry of the page about invalidation', content: contentOf(version + 1) }
  const answer = edited ? await ask('PUT', `/entries/${entryId}`, { body }) : await ask('POST', '/entries', { body })
  if (answer.status !== (edited ? 200 : 201)) return failed(answer)
  entryId = (answer.body as { id: number }).id
  version++
  sightings.want(contentOf(version))
  cards.outdate()
  act.textContent = 'Edit the entry'
  status.textContent = edited ? 'Edited. Looking at the copies …' : 'Written. Looking for the servers and their copies …'
  watch(answer.atMs, { edited })
}

/** Looks at the copies until the time is over, something newer is watched, or nobody looks on. */
async function watch (sinceMs: number, { edited }: { edited: boolean }): Promise<void> {
  const watching = ++watches
  let told = false
  let sharedSeen = false
  for (let looks = 1; looks <= fewestLooks || nowMs() - sinceMs < watchMs; looks++) {
    // While the time is taken nobody looks at the store: a server that does renews its own copy.
    const shared = told && looks % looksPerShared === 0
    const answer = await ask('GET', `/entries/${entryId}/copy${shared ? '?local=false' : ''}`)
    if (watching !== watches) return
    if (answer.status !== 200) return failed(answer)
    sharedSeen = show(answer, shared) || sharedSeen
    if (!told && looks >= looksToMeet && sightings.everyoneAtMs() !== undefined) {
      told = true
      tell(sinceMs, edited)
    }
    if (told && !view.visible) return
    if (looks > quickLooks) await new Promise(resolve => setTimeout(resolve, pauseMs))
  }
  for (const instance of sightings.forgetSilent()) cards.remove(cardOf(instance))
  if (!sharedSeen) cards.remove(sharedTitle)
  if (!told) status.textContent = `Not every server showed it within ${figure((nowMs() - sinceMs) / 1_000)} s.`
}

/** @returns whether it is the copy of the shared store */
function show (answer: Answer, shared: boolean): boolean {
  const { instance, from, ageMs, entry } = answer.body as Omit<Copy, 'content'> & { entry: { content: string } }
  const copy: Copy = { instance, from, ageMs, content: entry.content }
  if (shared && from === 'l2') {
    cards.show(sharedTitle, copy, contentOf(version))
    return true
  }
  sightings.saw(copy, answer.atMs)
  cards.show(cardOf(instance), copy, contentOf(version))
  return false
}

function tell (sinceMs: number, edited: boolean): void {
  const { length: count } = sightings.all()
  const took = milliseconds(Math.max(0, sightings.everyoneAtMs()! - sinceMs))
  const who = count === 1 ? 'The one server' : count === 2 ? 'Both servers' : `All ${count} servers`
  status.textContent = edited ? `${who} showed ${contentOf(version)} after ${took}.` : `${count === 1 ? 'One server has' : `${count} servers have`} a copy. Edit the entry.`
}

function failed (answer: Answer): void {
  if (answer.status === 404) forget()
  status.textContent = refusalText(answer)
}

function forget (): void {
  entryId = undefined
  watches++
  cards.clear()
  act.textContent = 'Write an entry'
  status.textContent = 'There is no entry yet.'
}

act.addEventListener('click', async () => {
  if (writing) return
  writing = true
  await save()
  writing = false
})
// None is left behind; the page may be shown again, by the way back.
addEventListener('pagehide', () => {
  if (entryId === undefined) return
  ask('DELETE', `/entries/${entryId}`, { keepalive: true })
  forget()
})
