import type { FastifyInstance } from 'fastify'
import { gate } from '@respite/testing'
import type { SessionOptions } from '@respite/session'

/** The routes that the tests call. */
export function addRoutes (app: FastifyInstance): FastifyInstance {
  app.post('/login/:user', async (request, reply) => {
    const { user } = request.params as { user: string }
    return await reply.login(user, request.body as object ?? {})
  })
  app.post('/logout', async (_, reply) => { await reply.logout(); return {} })
  app.get('/me', { config: { session: 'required' } }, async request => ({ user: request.session.userId, id: request.session.id }))
  app.get('/open', async request => ({ user: request.session.userId ?? null, cart: request.session.get('cart') ?? null }))
  app.post('/cart', async request => { request.session.set('cart', request.body); return { names: request.session.names() } })
  app.delete('/cart', async request => { request.session.delete('cart'); return {} })
  app.post('/field/:name', async request => {
    request.session.set((request.params as { name: string }).name, request.body)
    return {}
  })
  app.get('/fields', async request => Object.fromEntries(request.session.names().map(name => [name, request.session.get(name)])))
  app.get('/off', { config: { session: false } }, async request => ({ user: request.session.userId ?? null }))
  app.get('/off-set', { config: { session: false } }, async request => { request.session.set('a', 1) })
  app.get('/fresh', { config: { session: { fresh: '5m' } } }, async () => ({ ok: true }))
  return app
}

/** Where an app with more routes is had. */
interface Shops<App> { app (options: SessionOptions, more: { routes: (app: FastifyInstance) => void }): Promise<App> }

/** An app in which `/slow/:name` has loaded its session, and waits at a gate before it sets that field. */
export async function slowApp<App extends FastifyInstance> (house: Shops<App>, options: SessionOptions = {}) {
  const handler = gate()
  const app = await house.app(options, {
    routes: app => app.post('/slow/:name', async request => {
      await handler.pass()
      request.session.set((request.params as { name: string }).name, request.body)
      return {}
    })
  })
  return Object.assign(app, { handler })
}

export const cookieOf = (response: { headers: Record<string, unknown> }) => String(response.headers['set-cookie']).split(';')[0]!
export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** Logs a user in by bearer token. */
export async function loggedIn (app: FastifyInstance, user = 'ada', data = {}): Promise<string> {
  const response = await app.inject({ method: 'POST', url: `/login/${user}`, payload: { transport: 'bearer', data } })
  return response.json().token
}

/** The status of a request that must be logged in. */
export async function status (app: FastifyInstance, token: string): Promise<number> {
  return (await app.inject({ url: '/me', headers: bearer(token) })).statusCode
}
