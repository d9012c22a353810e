import { element } from '../elements.ts'
import { milliseconds } from '../figures.ts'
import { messageOf, refusalText } from './answer.ts'
import { ask } from './ask.ts'
import type { Visitor } from './visitor.ts'

interface Session { id: string, createdAt: string, idleUntil: string, current: boolean }

const time = new Intl.DateTimeFormat('en', { timeStyle: 'medium' })
const timeOf = (iso: string) => time.format(new Date(iso))

/** One place where the user is logged in: its token, which is kept here alone, and what the server says to it. */
export class SessionColumn {
  readonly #name: string
  readonly #visitor: Visitor
  readonly #status: HTMLElement
  readonly #list: HTMLElement
  readonly #login: HTMLButtonElement
  readonly #logout: HTMLButtonElement
  #token: string | undefined
  #otherLogInMs: number | undefined
  #shown = ''

  /**
   * @param name - the beginning of the ids of its elements
   * @param onLogIn - told when the server has answered a log-in, by the clock of the page
   */
  constructor (name: string, visitor: Visitor, onLogIn: (atMs: number) => void) {
    this.#name = name
    this.#visitor = visitor
    this.#status = element(`${name}-status`)
    this.#list = element(`${name}-sessions`)
    this.#login = element<HTMLButtonElement>(`${name}-login`)
    this.#logout = element<HTMLButtonElement>(`${name}-logout`)
    this.#login.addEventListener('click', () => this.#logIn(onLogIn))
    this.#logout.addEventListener('click', () => this.#leave('POST', '/logout', 'Logged out.'))
  }

  /** The user has logged in at the other place: what has become of the session here? @param atMs - by the clock of the page */
  async otherLogIn (atMs: number): Promise<void> {
    this.#otherLogInMs = atMs
    await this.look()
  }

  /** Asks whether the session is alive, and lists the user's sessions. */
  async look (): Promise<void> {
    const token = this.#token
    if (token === undefined) return
    const answer = await ask('GET', '/sessions', { token })
    // Meanwhile there was another log-in here, or a log-out.
    if (token !== this.#token) return
    if (answer.status === 200) return this.#alive((answer.body as { sessions: Session[] }).sessions)
    if (answer.status !== 401) return this.#say(refusalText(answer))
    const after = this.#otherLogInMs === undefined ? '' : `, ${milliseconds(answer.atMs - this.#otherLogInMs)} after the other log-in`
    this.#ended(`Ended: the server answers 401, “${messageOf(answer)}”${after}.`)
  }

  async #logIn (onLogIn: (atMs: number) => void): Promise<void> {
    this.#say('Logging in …')
    const login = await this.#visitor.logIn()
    if (login.token === undefined) return this.#say(`No log-in. ${login.why}`)
    this.#token = login.token
    this.#otherLogInMs = undefined
    onLogIn(login.atMs)
    await this.look()
  }

  async #leave (method: string, path: string, done: string): Promise<void> {
    const token = this.#token
    const answer = await ask(method, path, { token })
    if (token !== this.#token) return
    if (answer.status === 200) this.#ended(done)
    else await this.look()
  }

  #alive (sessions: Session[]): void {
    this.#say('Alive: the server answers 200.')
    this.#logout.disabled = false
    // What has not changed stays as it is, with the focus on it.
    const shown = sessions.map(({ id }) => id).join(' ')
    if (shown !== this.#shown) this.#list.replaceChildren(...sessions.map(session => this.#item(session)))
    this.#shown = shown
    for (const [i, { idleUntil }] of sessions.entries()) this.#list.children[i]!.querySelector('.idle')!.textContent = timeOf(idleUntil)
  }

  #item ({ id, createdAt, current }: Session): HTMLElement {
    const item = document.createElement('li')
    const idle = document.createElement('span')
    idle.className = 'idle'
    const revoke = document.createElement('button')
    revoke.type = 'button'
    revoke.textContent = 'Revoke'
    revoke.ariaLabel = `Revoke the session of ${timeOf(createdAt)}, ${this.#name}`
    revoke.addEventListener('click', () => this.#leave('DELETE', `/sessions/${encodeURIComponent(id)}`, 'Revoked: the session has ended.'))
    const text = document.createElement('span')
    text.append(`${current ? 'This session' : 'Another session'}, since ${timeOf(createdAt)}, idle until `, idle)
    item.append(text, ' ', revoke)
    return item
  }

  #ended (why: string): void {
    const focused = this.#list.contains(document.activeElement) || document.activeElement === this.#logout
    this.#token = undefined
    this.#shown = ''
    this.#list.replaceChildren()
    this.#logout.disabled = true
    if (focused) this.#login.focus()
    this.#say(why)
  }

  // A text that is set again would be read out again.
  #say (text: string): void {
    if (this.#status.textContent !== text) this.#status.textContent = text
  }
}
