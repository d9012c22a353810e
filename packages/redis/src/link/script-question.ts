import { createHash } from 'node:crypto'
import type { Node } from '../clients/adapter.ts'
import { isForbidden } from './failures.ts'
import { ask } from './probe.ts'

/** What a server says to scripts: `runs`, with which error it refuses them, or (undefined) neither. */
export type ScriptAnswer = 'runs' | Error | undefined

const lua = 'return 1'
const sha = createHash('sha1').update(lua).digest('hex')

/** Asks one server for what scripts need: to be taken by their source, and to be run by their hash. */
export async function askScripts (node: Node): Promise<ScriptAnswer> {
  const [loaded, run] = await Promise.allSettled([ask(node, 'SCRIPT', 'LOAD', lua), ask(node, 'EVALSHA', sha, '0')])
  const failures = [run, loaded].flatMap(answer => answer.status === 'rejected' ? [answer.reason as Error] : [])
  // One that reads its data from disk, is slow or is away has not said that it never will.
  return failures.length === 0 ? 'runs' : failures.find(isForbidden)
}
