import type { ReadReport } from '@respite/cache'
import type { FastifyInstance } from 'fastify'
import type { Entries } from '../entries/entries.ts'
import { perMinute } from '../limits.ts'
import { refusal } from './answers.ts'
import { entryAnswer, entryNotFound, entryParams, noSuchEntry } from './entry-schemas.ts'

interface Query { Params: { id: number }, Querystring: { local: boolean } }

const copy = {
  description: 'The copy that this server has, or has now made',
  type: 'object',
  properties: {
    instance: { type: 'string', description: 'A name of this process, new with each start' },
    from: { enum: ['l1', 'l2', 'database'], description: 'l1: its own memory, l2: the store that all share, database: there was no copy' },
    ageMs: { type: 'integer', description: 'Since it was stored' },
    entry: entryAnswer
  }
} as const

const querystring = {
  type: 'object',
  properties: { local: { type: 'boolean', default: true, description: 'false reads past the copy in its own memory, which it renews' } }
} as const

/** Which copy of an entry this server has: what the page about invalidation looks at, many times a second. */
export async function copyRoutes (app: FastifyInstance, { entries }: { entries: Entries }): Promise<void> {
  const instance = app.bus.origin.slice(0, 6)

  app.get<Query>('/entries/:id/copy', {
    config: { rateLimit: perMinute('copies', 2_000) },
    schema: {
      tags: ['cache'],
      summary: 'The copy that one server has of an entry',
      params: entryParams,
      querystring,
      response: { 200: copy, 400: refusal('No such id'), 404: entryNotFound, 429: refusal('More than 2,000 requests in a minute from this address') }
    }
  }, async (request, reply) => {
    const { id } = request.params
    let report: ReadReport | undefined
    const onReport = (told: ReadReport) => { report = told }
    const shared = request.query.local ? undefined : await app.cache.getWithTtl(`entry:${id}`, { onReport })
    const entry = shared?.value ?? await app.cache.getOrSet(`entry:${id}`, () => entries.get(id), { onReport })
    if (entry === undefined) return reply.code(404).send(noSuchEntry)
    const from = report?.source === 'l1' || report?.source === 'l2' ? report.source : 'database'
    reply.header('cache-control', 'no-store')
    return { instance, from, ageMs: Math.round(report?.ageMs ?? 0), entry }
  })
}
