import type { FastifyInstance } from 'fastify'
import type { Draft, Entries } from '../entries/entries.ts'
import { perMinute } from '../limits.ts'
import { refusal } from './answers.ts'

interface One { Params: { id: number } }
interface Page { Querystring: { page: number, size: number } }

// The largest id a Postgres integer holds.
const params = { type: 'object', properties: { id: { type: 'integer', minimum: 1, maximum: 2_147_483_647 } } } as const

// Postgres keeps every character but NUL.
const text = { type: 'string', pattern: '^[^\\u0000]*$' } as const

const draft = {
  type: 'object',
  required: ['title', 'content'],
  additionalProperties: false,
  properties: { title: { ...text, minLength: 1, maxLength: 200 }, content: { ...text, maxLength: 10_000 } }
} as const

const entry = {
  type: 'object',
  properties: { id: { type: 'integer' }, title: { type: 'string' }, content: { type: 'string' }, createdAt: { type: 'string' }, updatedAt: { type: 'string' } }
} as const

const list = {
  type: 'object',
  properties: { entries: { type: 'array', items: entry }, page: { type: 'integer' }, size: { type: 'integer' }, total: { type: 'integer' } }
} as const

const pagination = {
  type: 'object',
  properties: { page: { type: 'integer', minimum: 1, maximum: 1_000_000, default: 1 }, size: { type: 'integer', minimum: 1, maximum: 100, default: 10 } }
} as const

const tags = ['cache']
const missing = { error: 'No such entry!' }
const notFound = refusal('There is no such entry')
const invalid = refusal('What was sent is no entry')
const limited = refusal('More than 100 requests in a minute from this address')

/** Entries, cached one by one and as lists; a write drops what it made wrong, after its commit. */
export async function entryRoutes (app: FastifyInstance, { entries }: { entries: Entries }): Promise<void> {
  const { cache, invalidator } = app
  const config = { rateLimit: perMinute('entries', 100) }

  app.get<Page>('/entries', {
    config, schema: { tags, summary: 'A page of entries, the newest first', querystring: pagination, response: { 200: list, 400: invalid, 429: limited } }
  }, async request => {
    const { page, size } = request.query
    return await cache.getOrSet(`entry:list:${page}:${size}`, () => entries.list(page, size))
  })

  app.post<{ Body: Draft }>('/entries', {
    config, schema: { tags, summary: 'Write an entry', body: draft, response: { 201: entry, 400: invalid, 429: limited } }
  }, async (request, reply) => {
    const created = await entries.create(request.body)
    await invalidator.afterCreate('entry', created)
    return reply.code(201).header('location', `/entries/${created.id}`).send(created)
  })

  app.get<One>('/entries/:id', {
    config, schema: { tags, summary: 'An entry', params, response: { 200: entry, 400: invalid, 404: notFound, 429: limited } }
  }, async (request, reply) => {
    const { id } = request.params
    return await cache.getOrSet(`entry:${id}`, () => entries.get(id)) ?? reply.code(404).send(missing)
  })

  app.put<One & { Body: Draft }>('/entries/:id', {
    config, schema: { tags, summary: 'Change an entry', params, body: draft, response: { 200: entry, 400: invalid, 404: notFound, 429: limited } }
  }, async (request, reply) => {
    const changed = await entries.update(request.params.id, request.body)
    if (changed === undefined) return reply.code(404).send(missing)
    await invalidator.afterUpdate('entry', changed, changed)
    return changed
  })

  app.delete<One>('/entries/:id', {
    config, schema: { tags, summary: 'Delete an entry', params, response: { 204: { description: 'It is gone', type: 'null' }, 400: invalid, 404: notFound, 429: limited } }
  }, async (request, reply) => {
    const { id } = request.params
    if (!await entries.delete(id)) return reply.code(404).send(missing)
    await invalidator.afterDelete('entry', { id })
    return reply.code(204).send()
  })
}
