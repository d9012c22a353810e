import { type IncomingMessage, type ServerResponse, createServer, request as ask } from 'node:http'
import type { AddressInfo } from 'node:net'
import replyFrom from '@fastify/reply-from'
import type { FastifyInstance, RouteHandlerMethod } from 'fastify'
import type { CachePluginOptions, RouteCacheOptions } from '@respite/cache'
import { type AppInTime, appInTime } from './app-in-time.ts'

/** How a route passes on what a server behind it answers. */
export type Passing = (app: FastifyInstance, port: number) => Promise<RouteHandlerMethod>

/** By hand: whatever comes, as a stream under its headers. */
export const byHand: Passing = async (_, port) => (request, reply) => {
  const { url: path, method, headers } = request
  ask({ port, host: '127.0.0.1', path, method, headers, agent: false }, answer => {
    reply.code(answer.statusCode!).headers(answer.headers).send(answer)
  }).once('error', error => reply.code(502).send(error)).end()
}

/** By @fastify/reply-from, which would ask again when the server says 503. */
export const byReplyFrom: Passing = async (app, port) => {
  await app.register(replyFrom, { base: `http://127.0.0.1:${port}` })
  return (request, reply) => reply.from(request.url, { retryDelay: () => null })
}

/** A server behind the app. */
export interface Upstream {
  answer: { status: number, headers: Record<string, string | string[]>, body: string | Buffer }
  /** Answers in the place of `answer`. */
  serve: ((request: IncomingMessage, response: ServerResponse) => void) | undefined
  /** Method, path and headers of what was asked. */
  readonly seen: Record<string, unknown>[]
  /** Ends it, with all its connections. */
  leave (): Promise<void>
}

export interface Proxied extends AppInTime { readonly upstream: Upstream }

/** An app in its own time, all of whose GETs are answered by a server behind it. */
export async function proxied (t: Parameters<typeof appInTime>[0], passing: Passing, options: RouteCacheOptions | true = true, plugin: CachePluginOptions = {}): Promise<Proxied> {
  const made = await appInTime(t, plugin)
  const { upstream, port } = await startUpstream()
  t.teardown(() => upstream.leave())
  const handler = await passing(made.app, port)
  made.app.get('/*', { config: { cache: options } }, handler)
  made.app.put('/*', handler)
  return { ...made, upstream }
}

async function startUpstream (): Promise<{ upstream: Upstream, port: number }> {
  const seen: Record<string, unknown>[] = []
  const server = createServer((request, response) => {
    seen.push({ method: request.method, url: request.url, ...request.headers })
    if (upstream.serve !== undefined) return upstream.serve(request, response)
    const { status, headers, body } = upstream.answer
    const same = headers['etag'] !== undefined && request.headers['if-none-match'] === headers['etag']
    response.writeHead(same ? 304 : status, headers).end(same ? undefined : body)
  })
  const upstream: Upstream = {
    answer: { status: 200, headers: {}, body: 'body' },
    serve: undefined,
    seen,
    leave: () => new Promise(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  return { upstream, port: (server.address() as AddressInfo).port }
}
