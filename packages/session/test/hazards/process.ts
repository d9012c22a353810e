import '@respite/testing/clock-of-its-own'
import type { InjectOptions } from 'fastify'
import { until } from '@respite/testing'
import { type SessionOptions, sqliteStore } from '@respite/session'
import { makeApp } from '../app.ts'
import { secrets } from '../grounds.ts'
import { addRoutes, bearer, loggedIn } from '../shop.ts'
import type { Injected, Question, Shared, Told } from './other-process.ts'

const { shared, options, diesAfter } = JSON.parse(process.env.SESSION_PROCESS!) as { shared: Shared, options: SessionOptions, diesAfter: number }
let steps = 0
let travelling = false

/** After Redis has answered a command, and before anybody here has seen it. */
function countStep (): void {
  if (travelling && ++steps === diesAfter) process.kill(process.pid, 'SIGKILL')
}

const durable = sqliteStore(shared.file, { busyMs: 20_000 })
const app = addRoutes(await makeApp({ secrets, durable, durableDeadline: '30s', migrate: true, ...options }, { redis: { url: shared.url }, server: { pluginTimeout: 120_000 } }))

function say (told: Told): void {
  process.send!(told)
}

async function inject (request: InjectOptions): Promise<Injected> {
  const response = await app.inject(request)
  return { statusCode: response.statusCode, body: response.body, cookies: response.headers['set-cookie']?.toString() }
}

/** Two log-ins, a request, a save, a touch and a log-out; what is over is said, so that it can be held against it. */
async function journey (user: string): Promise<number> {
  travelling = true
  const told = (text: string) => new Promise<void>(resolve => process.send!({ said: text } satisfies Told, () => resolve()))
  const first = await loggedIn(app, user, { cart: ['tea'] })
  await told(`made ${first}`)
  await inject({ method: 'POST', url: '/cart', payload: ['milk'], headers: bearer(first) })
  const second = await loggedIn(app, user)
  await told(`made ${second}`)
  await told(`ended ${first}`)
  await inject({ url: '/me', headers: bearer(second) })
  await inject({ method: 'POST', url: '/logout', headers: bearer(second) })
  await told(`ended ${second}`)
  travelling = false
  return steps
}

const calls: Record<Question['call'], (...args: never[]) => unknown> = {
  inject,
  logins: (user: string, times: number) => Promise.all(Array.from({ length: times }, () => loggedIn(app, user))),
  journey,
  now: () => Date.now()
}

process.on('message', ({ id, call, args }: Question) => {
  Promise.resolve(calls[call](...args as never[])).then(answer => say({ id, answer }), (error: Error) => say({ id, error: error.message }))
})
process.on('disconnect', () => { app.close() })
await app.ready()
await until('Redis', () => app.respite.link.state === 'up' && app.respite.link.eraOf('any') !== undefined)
const { link } = app.respite
const [run, send, call] = [link.run.bind(link), link.send.bind(link), link.call.bind(link)]
Object.assign(link, {
  run: async (...args: Parameters<typeof run>) => { const reply = await run(...args); countStep(); return reply },
  send: async (...args: Parameters<typeof send>) => { const reply = await send(...args); countStep(); return reply },
  call: (...[script, keys, args, callback]: Parameters<typeof call>) => call(script, keys, args, (error, reply) => { countStep(); callback(error, reply as never) })
})
say({ ready: true })
