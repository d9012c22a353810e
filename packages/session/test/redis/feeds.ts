import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import websocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import { WebSocket } from 'ws'
import { servicesOf } from '../../src/session-services.ts'
import { bearer } from '../shop.ts'

/** What a test can hold, and see. */
export interface Feeds {
  /** Awaited before the WebSocket's route follows the session. */
  before?: () => Promise<void>
  readonly heard?: string[]
  readonly prolong?: boolean
}

/** Registered first: it ends the connections of refused requests only if it has seen them before they are. */
export const webSockets = (app: FastifyInstance) => app.register(websocket)

/** Routes whose connections end with their session: a WebSocket and server-sent events. */
export function addFeeds (app: FastifyInstance, { before, heard, prolong = false }: Feeds = {}): void {
  app.register(async app => {
    app.get('/socket', { websocket: true, config: { session: 'required' } }, async (socket, request) => {
      await before?.()
      socket.on('message', text => heard?.push(String(text)))
      app.sessions.closeWith(request, socket, { prolong })
      socket.send('open')
    })
    app.get('/events', { config: { session: 'required' } }, (request, reply) => {
      reply.hijack()
      reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
      reply.raw.write('data: open\n\n')
      app.sessions.closeWith(request, reply.raw)
    })
  })
}

export async function portOf (app: FastifyInstance): Promise<number> {
  if (!app.server.listening) await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as AddressInfo).port
}

/** What a client of the WebSocket sees. */
export interface Client { readonly socket: WebSocket, readonly open: boolean, readonly closed: Promise<string> }

/** Connects; resolves when the server has said that it follows the session. */
export async function connect (app: FastifyInstance, token: string, headers: Record<string, string> = bearer(token)): Promise<Client> {
  const socket = new WebSocket(`ws://127.0.0.1:${await portOf(app)}/socket`, { headers })
  const closed = once(socket, 'close').then(([code, why]) => `${code} ${why}`)
  closed.catch(() => undefined) // a refused one is told by what follows
  await once(socket, 'message')
  return { socket, closed, get open () { return socket.readyState === WebSocket.OPEN } }
}

/** Opens the events; `text` resolves with all that came, when the server has ended them. */
export async function listen (app: FastifyInstance, token: string): Promise<{ response: IncomingMessage, text: Promise<string>, complete: () => boolean }> {
  const request = get({ host: '127.0.0.1', port: await portOf(app), path: '/events', headers: bearer(token), agent: false })
  const [response] = await once(request, 'response') as [IncomingMessage]
  let text = ''
  const ended = once(response.setEncoding('utf8').on('data', chunk => { text += chunk }), 'close')
  await once(response, 'data')
  return { response, text: ended.then(() => text), complete: () => response.complete }
}

/** How many connections and listeners an app holds. */
export const followersOf = (app: FastifyInstance): number => servicesOf.get(app.sessions)!.ends.followers
