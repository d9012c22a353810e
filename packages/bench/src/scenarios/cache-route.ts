import { httpCandidate, type PreparedServer } from '../http-candidate.ts'
import type { Candidate, Scenario } from '../scenario.ts'

const path = '/work'

/** What caching a route costs where there is nothing to save: the difference of `serverCpuMicros`. */
export const cacheRoute: Scenario = {
  name: 'cache-route',
  about: 'a route of 500 bytes whose answers are cached and lie in the process, beside its handler alone',
  unit: 'rps',
  candidates: [candidate('bare', false), candidate('respite', true)],
  targets: []
}

function candidate (name: string, cached: boolean): Candidate {
  return httpCandidate({ name, module: `candidates/cache-route/${name}.mjs`, redis: cached, path, prepare: server => prepare(server, cached) })
}

/** @throws Error when a second answer does not come out of the cache, or is another */
async function prepare ({ origin, ask }: PreparedServer, cached: boolean): Promise<readonly string[]> {
  const answers: { body: string, cache: string | null }[] = []
  const get = async () => {
    const response = await fetch(origin + path)
    answers.push({ body: await response.text(), cache: response.headers.get('x-cache') })
  }
  for (let i = 0; i < 5; i++) await get()
  const fills = cached ? await ask('fills') : 0
  await get()
  if (new Set(answers.map(({ body }) => body)).size !== 1 || answers[0]!.body.length !== 500) throw new Error('the answers differ, or are not of 500 bytes')
  if (cached && (answers.at(-1)!.cache !== 'HIT' || await ask('fills') !== fills)) throw new Error(`the answers are not cached: ${answers.map(({ cache }) => cache).join(' ')}`)
  return []
}
