import { type Clock, type Keyspace, type Link, type LinkError, loadScript, randomToken } from '@respite/redis'
import { keys } from './keys.ts'

const next = loadScript('invalidator.version', new URL('../lua/version.lua', import.meta.url), { flags: ['allow-oom'] })

/** Where new versions come from: numbers that grow, per entity, over all processes of one Redis. */
export interface Versions {
  next (name: string, id: string): Promise<string>
}

/** What versions are made with. */
export interface VersionsParts {
  readonly link: Link
  readonly keyspace: Keyspace
  readonly clock: Clock
  /** How long the last version is remembered. */
  readonly versionMs: number
}

/** Versions by the server's clock; in an embedded app by that of this process. */
export function versionsOf ({ link, keyspace, clock, versionMs }: VersionsParts): Versions {
  const key = keyspace.define(keys.version.template).key
  let last = 0
  return {
    async next (name, id) {
      if (link.embedded) {
        last = Math.max(last + 1, clock.wallMs() * 1_000)
        return String(last)
      }
      try {
        return await link.run(next, [key(name, id)], [versionMs]) as string
      } catch (error) {
        if ((error as Partial<LinkError>).outcome === undefined) throw error
        // Nothing is stored while Redis does not answer; under a name that nobody else has, nothing old is found either.
        return `x${randomToken()}`
      }
    }
  }
}
