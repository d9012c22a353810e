import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from './environment.ts'
import { FST_RSP_APP_SECRET_FILE } from './errors.ts'

/** What signs and keys; never in a log. */
export interface Secrets {
  session: string
  tracking: string
}

/** The secrets that were given, and for those that were not, what lies in the data folder; made there once. */
export function readSecrets (environment: Pick<Environment, 'SESSION_SECRET' | 'TRACKING_KEY' | 'DATA_DIR'>): Secrets {
  return {
    session: environment.SESSION_SECRET ?? kept(environment.DATA_DIR, 'session.secret'),
    tracking: environment.TRACKING_KEY ?? kept(environment.DATA_DIR, 'tracking.key')
  }
}

/** @throws FST_RSP_APP_SECRET_FILE */
function kept (folder: string, name: string): string {
  const file = join(folder, name)
  const found = read(file) ?? make(file)
  if (!/^[\w-]{43}$/.test(found)) throw new FST_RSP_APP_SECRET_FILE(file)
  return found
}

function read (file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function make (file: string): string {
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  writeFileSync(draft, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' })
  try {
    // A link appears whole or not at all: of two processes that start at once, both use the first one's.
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft)
  }
  return read(file)!
}
