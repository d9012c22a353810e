import type { FastifyInstance } from 'fastify'
import type { Draft, Entries } from '../entries/entries.ts'
import { perMinute } from '../limits.ts'
import { refusal } from './answers.ts'
import { draftBody, entryAnswer, entryList, entryNotFound, entryParams, noSuchEntry, pagination } from './entry-schemas.ts'

interface One { Params: { id: number } }
interface Page { Querystring: { page: number, size: number } }

const tags = ['cache']
const config = { rateLimit: perMinute('entries', 100) }
const invalid = refusal('What was sent is no entry')
const limited = refusal('More than 100 requests in a minute from this address')

/** Entries, cached one by one and as lists; a write drops what it made wrong, after its commit. */
export async function entryRoutes (app: FastifyInstance, { entries }: { entries: Entries }): Promise<void> {
  readRoutes(app, entries)
  writeRoutes(app, entries)
}

function readRoutes (app: FastifyInstance, entries: Entries): void {
  const { cache } = app

  app.get<Page>('/entries', {
    config, schema: { tags, summary: 'A page of entries, the newest first', querystring: pagination, response: { 200: entryList, 400: invalid, 429: limited } }
  }, async request => {
    const { page, size } = request.query
    return await cache.getOrSet(`entry:list:${page}:${size}`, () => entries.list(page, size))
  })

  app.get<One>('/entries/:id', {
    config, schema: { tags, summary: 'An entry', params: entryParams, response: { 200: entryAnswer, 400: invalid, 404: entryNotFound, 429: limited } }
  }, async (request, reply) => {
    const { id } = request.params
    return await cache.getOrSet(`entry:${id}`, () => entries.get(id)) ?? reply.code(404).send(noSuchEntry)
  })
}

function writeRoutes (app: FastifyInstance, entries: Entries): void {
  const { invalidator } = app

  app.post<{ Body: Draft }>('/entries', {
    config, schema: { tags, summary: 'Write an entry', body: draftBody, response: { 201: entryAnswer, 400: invalid, 429: limited } }
  }, async (request, reply) => {
    const created = await entries.create(request.body)
    await invalidator.afterCreate('entry', created)
    return reply.code(201).header('location', `/entries/${created.id}`).send(created)
  })

  app.put<One & { Body: Draft }>('/entries/:id', {
    config, schema: { tags, summary: 'Change an entry', params: entryParams, body: draftBody, response: { 200: entryAnswer, 400: invalid, 404: entryNotFound, 429: limited } }
  }, async (request, reply) => {
    const changed = await entries.update(request.params.id, request.body)
    if (changed === undefined) return reply.code(404).send(noSuchEntry)
    await invalidator.afterUpdate('entry', changed, changed)
    return changed
  })

  app.delete<One>('/entries/:id', {
    config, schema: { tags, summary: 'Delete an entry', params: entryParams, response: { 204: { description: 'It is gone', type: 'null' }, 400: invalid, 404: entryNotFound, 429: limited } }
  }, async (request, reply) => {
    const { id } = request.params
    if (!await entries.delete(id)) return reply.code(404).send(noSuchEntry)
    await invalidator.afterDelete('entry', { id })
    return reply.code(204).send()
  })
}
