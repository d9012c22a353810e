import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import expressSession, { type SessionOptions as ExpressOptions } from 'express-session'
import redis, { type RedisOptions } from '@respite/redis'
import sessionStore, { RespiteStore, type SessionOptions, type StoreCallback } from '@respite/session/store'
import { until } from '@respite/testing'
import type { Test } from 'tap'

// By require, so that their types of `request.session` do not take the place of ours.
const load = createRequire(import.meta.url)
const [fastifyCookie, fastifySession] = [load('@fastify/cookie'), load('@fastify/session')]

export const librarySecret = 'a secret of the other library, of 32 characters'

/** The session of a request as the tests use it. */
export interface TestSession {
  [name: string]: unknown
  cookie: { maxAge?: number | null, originalMaxAge?: number | null, expires?: Date | null }
  save (done: (error?: unknown) => void): void
  destroy (done: (error?: unknown) => void): void
  regenerate (done: (error?: unknown) => void): void
}

/** What a test's route does with the session; its answer is the body. */
export type Step = (session: TestSession, current: () => TestSession) => unknown

/** An app of one of the libraries; each step is a route of its name. */
export interface LibraryApp {
  readonly app: FastifyInstance
  readonly store: RespiteStore
  /** Calls a route; the cookie is the jar's. */
  call (name: string, jar?: Jar): Promise<{ status: number, body: unknown, setCookie: string | undefined }>
}

/** A browser's cookie. */
export class Jar { cookie = '' }

/** Makes an app whose sessions are kept by the store. */
export type MakeApp = (t: Test, steps: Record<string, Step>, options?: LibraryOptions) => Promise<LibraryApp>

export interface LibraryOptions { readonly session?: SessionOptions, readonly redis?: RedisOptions, readonly cookie?: object, readonly library?: object }

/** The boot does not wait for Redis. */
async function ready (app: FastifyInstance): Promise<void> {
  await app.ready()
  const { link } = app.respite
  if (!link.embedded) await until('Redis', () => link.state === 'up' && link.eraOf('any') !== undefined)
}

async function houseOf (t: Test, { session = {}, redis: redisOptions = { embedded: true } }: LibraryOptions): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify()
  t.teardown(() => app.close())
  await app.register(redis, redisOptions)
  await app.register(sessionStore, session)
  return app
}

const remember = (jar: Jar, setCookie: string | undefined) => { if (setCookie !== undefined) jar.cookie = setCookie.split(';')[0]! }

/** @fastify/session in the app itself. */
export const fastifyApp: MakeApp = async (t, steps, options = {}) => {
  const app = await houseOf(t, options)
  const store = new RespiteStore(app)
  await app.register(fastifyCookie)
  await app.register(fastifySession, { secret: librarySecret, store, cookie: { secure: false, ...options.cookie }, ...options.library })
  for (const [name, step] of Object.entries(steps)) {
    app.get(`/${name}`, async request => {
      const current = () => (request as unknown as { session: TestSession }).session
      return { answer: await step(current(), current) ?? null }
    })
  }
  await ready(app)
  return {
    app,
    store,
    async call (name, jar = new Jar()) {
      const response = await app.inject({ url: `/${name}`, headers: { cookie: jar.cookie } })
      const setCookie = response.headers['set-cookie'] as string | undefined
      remember(jar, setCookie)
      return { status: response.statusCode, body: response.json().answer, setCookie }
    }
  }
}

/** express-session before a bare server. */
export const expressApp: MakeApp = async (t, steps, options = {}) => {
  const app = await houseOf(t, options)
  await ready(app)
  const store = new RespiteStore(app, { express: expressSession })
  const given = { secret: librarySecret, store, cookie: { ...options.cookie }, resave: false, saveUninitialized: false, ...options.library } satisfies ExpressOptions
  const middleware = expressSession(given) as unknown as (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void
  const server = createServer((request, response) => {
    const end = (status: number, answer: unknown) => {
      if (response.headersSent) return
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ answer }))
    }
    const fail = (error: { code?: string, statusCode?: number }) => end(error.statusCode ?? 500, error.code ?? null)
    const current = () => (request as unknown as { session: TestSession }).session
    middleware(request, response, error => {
      if (error !== undefined) fail(error as object)
      else Promise.resolve().then(() => steps[request.url!.slice(1)]!(current(), current)).then(answer => end(200, answer ?? null), fail)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => { server.closeAllConnections(); server.close() })
  const { port } = server.address() as AddressInfo
  return {
    app,
    store,
    async call (name, jar = new Jar()) {
      const response = await fetch(`http://127.0.0.1:${port}/${name}`, { headers: { cookie: jar.cookie } })
      const setCookie = response.headers.get('set-cookie') ?? undefined
      remember(jar, setCookie)
      return { status: response.status, body: (await response.json() as { answer: unknown }).answer, setCookie }
    }
  }
}

/** A method of the session as a promise. */
export const promised = (call: (done: (error?: unknown) => void) => void) =>
  new Promise<void>((resolve, reject) => { call(error => error === undefined || error === null ? resolve() : reject(error)) })

/** What a method of the store gives. */
export const asked = <T>(call: (done: StoreCallback<T>) => void) =>
  new Promise<T | undefined>((resolve, reject) => { call((error, result) => error === null ? resolve(result) : reject(error)) })
