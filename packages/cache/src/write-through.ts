import { randomToken } from '@respite/redis'
import { written } from './answer.ts'
import { type Stored, storedOf } from './codecs/body.ts'
import { linkErrorOnly } from './link-errors.ts'
import type { Namespace } from './namespace.ts'
import { encodeRecord } from './record.ts'
import type { Snapshot } from './snapshot.ts'

/** A write to the source whose result becomes the entry. */
export interface Write<T> {
  readonly key: string
  /** Writes, commits, and gives what is there now. */
  readonly commit: () => T | Promise<T>
  readonly ttlMs: number
  readonly tags: readonly string[]
}

interface Opened { readonly token: string, readonly snapshot: Snapshot }

/**
 * Writes under the key's lease, which it takes from whoever has it: an older fill is refused, and of overlapping writers the
 * one that is refused drops the entry, for nobody knows whose commit was the last.
 * @throws what the write throws, and FST_RSP_CACHE_NOT_SERIALISABLE when the write has happened and cannot be stored
 */
export async function writeThrough<T> (space: Namespace, write: Write<T>): Promise<T> {
  const { key } = write
  const { codec, compression } = space.settings.writing
  const opened = await open(space, write)
  let value: T
  let stored: Stored | undefined
  try {
    value = await write.commit()
    stored = value === undefined ? undefined : await storedOf(written(key, value, codec), compression)
  } catch (error) {
    // Its commit may have happened.
    await dropped(space, key)
    throw error
  }
  if (opened === undefined || stored === undefined || !await filled(space, write, { ...opened, stored })) await dropped(space, key)
  return value
}

/** The versions of the tags, and the lease; undefined while Redis does not answer. */
async function open ({ store, leaseMs }: Namespace, { key, tags }: Write<unknown>): Promise<Opened | undefined> {
  const token = randomToken()
  try {
    const [versions] = await Promise.all([store.mint(tags, true), store.open(key, token, leaseMs)])
    return { token, snapshot: { ns: versions.ns!, tags: versions.tags as Map<string, string> } }
  } catch (error) {
    linkErrorOnly(error)
    return undefined
  }
}

/** @returns false: whether it was stored is not known */
async function filled (space: Namespace, { key, ttlMs, tags }: Write<unknown>, { token, snapshot, stored }: Opened & { stored: Stored }): Promise<boolean> {
  const record = encodeRecord({ id: token, snapshot, ttlMs, costMs: 0, ...stored })
  try {
    const kept = await space.fillOver(key, token, { entry: { record, softMs: ttlMs, hardMs: ttlMs }, tags })
    space.journal.filled(key, kept ? 'stored' : 'refused', kept ? { stored: { ttlMs, bytes: record.length } } : {})
    return true
  } catch (error) {
    linkErrorOnly(error)
    return false
  }
}

async function dropped (space: Namespace, key: string): Promise<void> {
  await space.invalidate([{ kind: 'key', name: key }])
}
