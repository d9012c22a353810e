import FakeTimers from '@sinonjs/fake-timers'
import Fastify, { type FastifyInstance, type FastifyServerOptions, type InjectOptions } from 'fastify'
import { createRequire } from 'node:module'
import type { Test } from 'tap'
import * as ours from '../../src/compat/index.ts'

/** Either module, untyped: their types and ours cannot stand in one program. */
export interface RateLimitModule { readonly name: 'theirs' | 'ours', readonly rateLimit: any, readonly normalizeIP: (ip: string, ipv6Subnet?: number) => string }

const require = createRequire(import.meta.url)
const original = require('@fastify/rate-limit')

export const theirs: RateLimitModule = { name: 'theirs', rateLimit: original, normalizeIP: original.normalizeIP }
export const our: RateLimitModule = { name: 'ours', rateLimit: ours.default, normalizeIP: ours.normalizeIP }

/** A request, or ms that pass. */
export type Step = string | InjectOptions | number

/** An answer, or what an app noted. */
export interface Answer { readonly status: number, readonly headers: Record<string, unknown>, readonly body: string }

/** An app under test: what it notes is compared, too. */
export interface Made { readonly app: FastifyInstance, readonly note: (what: unknown) => void, readonly module: RateLimitModule }

/** How an app is made and asked. */
export interface Behaviour {
  readonly server?: FastifyServerOptions
  readonly build: (made: Made) => unknown
  readonly steps: readonly Step[]
}

// Microtasks and setImmediate stay: without them no promise settles, and no body of a request is read.
const faked = ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] as const
const startMs = Date.UTC(2026, 4, 10, 12)

/** Runs one module in fake time: all timers and clocks are the test's. */
export async function run (module: RateLimitModule, { server = {}, build, steps }: Behaviour): Promise<{ answers: Answer[], notes: unknown[] }> {
  const clock = FakeTimers.install({ now: startMs, toFake: [...faked] })
  const app = Fastify(server)
  const notes: unknown[] = []
  const answers: Answer[] = []
  try {
    await build({ app, note: what => notes.push(what), module })
    for (const step of steps) {
      if (typeof step === 'number') clock.tick(step)
      else answers.push(await answerOf(app, step))
    }
    return { answers, notes }
  } finally {
    clock.uninstall()
    await app.close()
  }
}

/** What a client sees, but for the hour. */
export async function answerOf (app: FastifyInstance, request: string | InjectOptions): Promise<Answer> {
  const { statusCode: status, headers, body } = await app.inject(request)
  const { date: _, ...rest } = headers
  return { status, headers: rest, body }
}

/** Runs both modules and compares all that a client sees, in the order in which headers are sent, and all that the app noted. */
export async function alike (t: Test, behaviour: Behaviour): Promise<Answer[]> {
  const [expected, found] = [await run(theirs, behaviour), await run(our, behaviour)]
  t.equal(JSON.stringify(found.answers, null, 1), JSON.stringify(expected.answers, null, 1))
  t.same(found.notes, expected.notes)
  return found.answers
}

/** The statuses, so that a test says what it is about. */
export const statusesOf = (answers: readonly Answer[]) => answers.map(({ status }) => status)

/** The same step so many times. */
export const times = (count: number, step: Step = '/'): Step[] => new Array<Step>(count).fill(step)
