import { EventEmitter } from 'node:events'
import { FST_RSP_SESSION_OPTIONS, FST_RSP_SESSION_STORE_APP, FST_RSP_SESSION_STORE_EXPRESS, FST_RSP_SESSION_STORE_ID } from '../errors.ts'
import { type SessionServices, servicesOf } from '../session-services.ts'
import type { Sessions } from '../sessions.ts'
import { fieldOf } from '../found-session.ts'
import { PeerSessions } from './peer-sessions.ts'
import { idleOf, read, type StoredSession, write } from './session-text.ts'

/** As the libraries declare it. Called once, never before the call has returned; with an error it is not known what is so. */
export type StoreCallback<T = void> = (error?: any, result?: T) => void

/** What express-session exports, as far as a store needs it. */
export interface ExpressSession {
  readonly Store: { readonly prototype: any }
}

/** A `StoredSession` with the fields that the app has declared to its library. */
export type AppSession = any

/** Sessions that `all` gives at most. */
const maxListed = 1_000

/**
 * A store for @fastify/session and express-session, over the two stores of @respite/session. What it promises is theirs:
 * `destroy` ends an id everywhere and for good, and an error comes within the deadlines.
 */
export class RespiteStore extends EventEmitter {
  readonly #services: SessionServices
  readonly #sessions: PeerSessions
  readonly #express: ExpressSession | undefined
  #generate: ((request: unknown) => void) | undefined

  /**
   * @param app - a Fastify instance with @respite/session, or with the plugin of @respite/session/store
   * @param options.express - what `import session from 'express-session'` gives; required there, of no use elsewhere
   * @throws FST_RSP_SESSION_STORE_APP, FST_RSP_SESSION_OPTIONS
   */
  constructor (app: { readonly sessions: Sessions }, { express }: { express?: ExpressSession } = {}) {
    super()
    const services = servicesOf.get(app?.sessions)
    if (services === undefined) throw new FST_RSP_SESSION_STORE_APP()
    if (services.store.kind === 'redis') throw new FST_RSP_SESSION_OPTIONS("RespiteStore needs a durable store, and durable is 'none'")
    this.#services = services
    this.#sessions = new PeerSessions(services)
    this.#express = express
  }

  /** The session, or undefined if there is none. */
  get (id: string, callback: StoreCallback<AppSession>): void {
    this.#answer(this.#get(id), 'get', callback)
  }

  /**
   * Makes or replaces the session; it ends when its cookie does, and at `absolute` at the latest.
   * One that has ended stays so: no error, but event `lost` and a line in the log.
   */
  set (id: string, session: StoredSession, callback?: StoreCallback): void {
    this.#answer(this.#set(id, session), 'set', callback)
  }

  /** Prolongs the session, at most every `touchEvery`. */
  touch (id: string, session: StoredSession, callback?: StoreCallback): void {
    this.#answer(this.#touch(id, session), 'touch', callback)
  }

  /** Ends the id everywhere and for good. */
  destroy (id: string, callback?: StoreCallback): void {
    this.#answer(isId(id) ? this.#sessions.end(id) : Promise.resolve(), 'destroy', callback)
  }

  /** Sessions that came by such a store, at most 1,000, without their ids: nobody has those but the browsers. */
  all (callback: StoreCallback<AppSession[]>): void {
    this.#answer(this.#all(), 'all', callback)
  }

  /** How many sessions are alive that came by such a store, of this app or another one on the same tables. */
  length (callback: StoreCallback<number>): void {
    this.#answer(this.#sessions.count(), 'length', callback)
  }

  /** Ends all of those, one by one; sessions of `reply.login` stay. */
  clear (callback?: StoreCallback): void {
    this.#answer(this.#sessions.clear(), 'clear', callback)
  }

  /** Set by express-session when the store is given to it. */
  get generate (): ((request: unknown) => void) | undefined { return this.#generate }
  set generate (generate: ((request: unknown) => void) | undefined) {
    this.#base()
    this.#generate = generate
  }

  /* What express-session calls beside these is its own: a new session for a request, and a session with methods made of one that was read. */

  regenerate (request: object, callback: StoreCallback): void {
    this.#base().regenerate.call(this, request, callback)
  }

  load (id: string, callback: StoreCallback<any>): void {
    this.#base().load.call(this, id, callback)
  }

  createSession (request: object, session: any): any {
    return this.#base().createSession.call(this, request, session)
  }

  async #get (id: string): Promise<StoredSession | undefined> {
    const found = isId(id) ? await this.#sessions.find(id) : undefined
    return found && read(name => fieldOf(found, name), this.#endOf(found.leftMs))
  }

  async #set (id: string, session: StoredSession): Promise<void> {
    if (!isId(id)) throw new FST_RSP_SESSION_STORE_ID(typeof id)
    const idleMs = this.#idleOf(session)
    if (idleMs > 0) await this.#sessions.save(id, { fields: write(session), idleMs })
    else await this.#sessions.end(id)
  }

  async #touch (id: string, session: StoredSession): Promise<void> {
    const idleMs = this.#idleOf(session)
    if (isId(id) && idleMs > 0) await this.#sessions.touch(id, idleMs)
  }

  async #all (): Promise<StoredSession[]> {
    const rows = await this.#sessions.list(maxListed)
    return rows.flatMap(({ fields, leftMs }) => read(name => fields.get(name), this.#endOf(leftMs)) ?? [])
  }

  #idleOf (session: StoredSession): number {
    const { clock, options: { idle, absolute } } = this.#services
    return Math.floor(Math.min(idleOf(session, clock.wallMs()) ?? idle, absolute))
  }

  #endOf (leftMs: number): Date {
    return new Date(this.#services.clock.wallMs() + leftMs)
  }

  #base () {
    if (this.#express === undefined) throw new FST_RSP_SESSION_STORE_EXPRESS()
    return this.#express.Store.prototype
  }

  // In a tick of its own: what the callback throws is the caller's, as with any other callback.
  #answer<T> (work: Promise<T>, what: string, callback: StoreCallback<T> | undefined): void {
    work.then(result => {
      if (callback !== undefined) process.nextTick(callback, null, result)
    }, (error: unknown) => {
      if (callback !== undefined) process.nextTick(callback, error)
      else this.#services.log.warn({ err: error }, `the session store could not '${what}'`)
    })
  }
}

const isId = (id: unknown): id is string => typeof id === 'string' && id !== ''
