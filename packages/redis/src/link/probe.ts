import { createHash } from 'node:crypto'
import type { Node } from '../clients/adapter.ts'
import { FST_RSP_REDIS_TIMEOUT } from '../errors.ts'
import type { Features } from './features.ts'

/** What a server says of itself. */
export interface Answer {
  readonly features: Features
  /** The identity of its data set; undefined where it does not say. */
  readonly era: string | undefined
  /** Why it cannot do its work now. */
  readonly trouble: string | undefined
  /** Whether what it answers may be older than what its master has acknowledged. */
  readonly replica: boolean
}

const askMs = 1_000

/** Asks one server what it is and can do. */
export async function probe (node: Node, cluster: boolean): Promise<Answer> {
  const [info, commands] = await Promise.all([ask(node, 'INFO'), ask(node, 'COMMAND', 'INFO', 'INCREX', 'HSETEX').catch(() => [])]) // an old or guarded server has no such command
  const fields = fieldsOf(info)
  return { features: featuresOf(fields, commands, cluster), ...stateOf(fields) }
}

/** Asks one server whether it is still the same, and able. */
export async function askState (node: Node): Promise<Omit<Answer, 'features'>> {
  const answers = await Promise.all(['server', 'replication', 'persistence'].map(section => ask(node, 'INFO', section)))
  return stateOf(fieldsOf(answers.join('\r\n')))
}

function stateOf (fields: ReadonlyMap<string, string>): Omit<Answer, 'features'> {
  const identity = [fields.get('run_id'), fields.get('master_replid')]
  const replica = isReplica(fields.get('role'))
  return {
    era: identity.every(id => id === undefined) ? undefined : createHash('sha256').update(identity.join()).digest('base64url').slice(0, 22),
    trouble: fields.get('loading') === '1' || fields.get('async_loading') === '1'
      ? 'LOADING: the server reads its data from disk'
      : replica ? 'READONLY: the server is a replica' : undefined,
    replica
  }
}

/** @param role - as INFO names it; Dragonfly says `replica` */
const isReplica = (role: string | undefined): boolean => role === 'slave' || role === 'replica'

/** Whether an answer of INFO is that of a replica. */
export const saysReplica = (info: unknown): boolean => isReplica(fieldsOf(info).get('role'))

function featuresOf (fields: ReadonlyMap<string, string>, commands: unknown, cluster: boolean): Features {
  const server = fields.has('dragonfly_version') ? 'dragonfly' : fields.get('server_name') ?? (fields.has('valkey_version') ? 'valkey' : 'redis')
  const version = (fields.get('dragonfly_version') ?? fields.get('valkey_version') ?? fields.get('redis_version') ?? '0').replace(/^\D+/, '')
  const major = Number.parseInt(version)
  const modern = server === 'valkey' || (server === 'redis' && major >= 7)
  const [increx, hsetex] = (Array.isArray(commands) ? commands : []).map(command => Array.isArray(command) && command.length > 0)
  return Object.freeze({
    server,
    version,
    cluster,
    tracking: server !== 'dragonfly' && major >= 6,
    shardedPubSub: modern,
    scriptFlags: modern,
    increx: increx === true,
    hsetex: hsetex === true,
    era: fields.has('run_id') || fields.has('master_replid'),
    maxmemoryPolicy: fields.get('maxmemory_policy')
  })
}

/** What all of them can. */
export function commonFeatures (all: readonly Features[]): Features {
  const every = (name: 'tracking' | 'shardedPubSub' | 'scriptFlags' | 'increx' | 'hsetex' | 'era') => all.every(features => features[name])
  return Object.freeze({
    ...all[0]!,
    tracking: every('tracking'),
    shardedPubSub: every('shardedPubSub'),
    scriptFlags: every('scriptFlags'),
    increx: every('increx'),
    hsetex: every('hsetex'),
    era: every('era'),
    maxmemoryPolicy: (all.find(({ maxmemoryPolicy }) => maxmemoryPolicy !== undefined && maxmemoryPolicy !== 'noeviction') ?? all[0]!).maxmemoryPolicy
  })
}

const fieldsOf = (info: unknown) => new Map(String(info).split('\r\n').filter(line => line.includes(':')).map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))

/** One command to one server, outside the guard: it asks whether the guard may open. */
export function ask (node: Node, name: string, ...args: string[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new FST_RSP_REDIS_TIMEOUT(name, askMs)), askMs).unref()
    node.exec({
      name,
      args,
      key: undefined,
      bytes: false,
      redirect: 'refuse',
      done: (error, reply) => {
        clearTimeout(timer)
        if (error === null) resolve(reply)
        else reject(error)
      }
    })
  })
}
