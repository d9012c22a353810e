import { FST_RSP_REDIS_DOWN } from '../errors.ts'
import { noFeatures } from './features.ts'
import type { Link } from './link.ts'

/** The link where there is no server: nothing can be sent, and nothing is ever lost. */
export function createEmbeddedLink (): Link {
  const refusal = (name: string) => Object.assign(new FST_RSP_REDIS_DOWN(name), { outcome: 'not-sent' as const })
  const link: Link = {
    embedded: true,
    state: 'embedded',
    reason: undefined,
    generation: 0,
    features: noFeatures,
    topologyVersion: 0,
    deadlineMs: 0,
    within: () => link,
    send: async command => { throw refusal(command) },
    sendBytes: async command => { throw refusal(command) },
    run: async script => { throw refusal(script.name) },
    call: (script, keys, args, callback) => { setImmediate(callback, refusal(script.name)) },
    soon: work => { setImmediate(work) },
    scan: async () => { throw refusal('SCAN') },
    eraOf: () => undefined,
    on: () => () => {}
  }
  return link
}
