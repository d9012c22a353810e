import type { FastifyReply } from 'fastify'
import t from 'tap'
import type { Cache, GetOrSetOptions } from '@respite/cache'
import { Lookup, type LookupParts, type Wanted } from '../../src/route/lookup.ts'
import { resolveRouteOptions } from '../../src/route/options.ts'

const life = { freshMs: 10_000, ageMs: 0, swrMs: 0, staleIfErrorMs: 0, strict: false }
const stored = { status: 200, headers: {}, body: 'old', etag: '"e"', atMs: 0, life }

/** A cache in which the entry is past its time, whoever asks. */
function staleCache (asked: GetOrSetOptions[]) {
  return {
    async getOrSet (key: string, _: unknown, options: GetOrSetOptions) {
      asked.push(options)
      options.onReport?.({ key, source: 'stale', ageMs: 11_000, ttlLeftMs: 0, missReason: 'expired', waitedMs: 0 })
      return stored
    }
  } as unknown as Cache
}

t.test('who cannot take a stale answer asks again, for one that is kept as long past its time as any', async t => {
  const asked: GetOrSetOptions[] = []
  const parts: Partial<LookupParts> = { cache: staleCache(asked), nowMs: () => 11_000, tags: ['a'], runUncached: (_, settle) => settle.resolve('of the handler') }
  const wrapped = { options: resolveRouteOptions({ ttl: '10s', keepStale: '1h' }) } as Wanted['wrapped']
  const wanted = { wrapped, key: 'k', wishes: undefined, forward: 'uri-miss', exchange: { reply: {} as FastifyReply } } as Wanted
  t.equal(await new Lookup(parts as LookupParts, wanted).answered, 'of the handler', 'nobody could refresh it')
  t.match(asked, [{ ttl: 10_000, tags: ['a'], swr: 3_600_000, staleIfError: undefined }, { ttl: 10_000, tags: ['a'], swr: undefined, staleIfError: 3_600_000 }])
})
