import { inspect } from 'node:util'
import { FST_RSP_SESSION_LOGIN_OPTION } from '../errors.ts'
import type { Transport } from '../options.ts'
import type { SessionData } from './request-session.ts'

/** How `reply.login` is asked. */
export interface LoginOptions {
  /** The new session's fields. */
  data?: Partial<SessionData> & Record<string, unknown>
  /** Fields of the visitor's session that are carried over; nothing else is. @default [] */
  carry?: readonly string[]
  /** The session lives by the option `remember`, and its cookie stays when the browser is closed. @default false */
  remember?: boolean
  /** @default the first of the option `transports` */
  transport?: Transport
}

/**
 * Refuses what would be passed over in silence: a misspelt option, fields that are no object, names that are no list.
 * What is in `data` is not shown.
 * @param known - the options there are
 * @throws FST_RSP_SESSION_LOGIN_OPTION
 */
export function checkLoginOptions (given: unknown, known: readonly (keyof LoginOptions)[]): void {
  if (!isPlain(given)) throw new FST_RSP_SESSION_LOGIN_OPTION(`the options must be an object, got ${shown(given)}`)
  for (const name of Object.keys(given)) {
    if (!known.includes(name as keyof LoginOptions)) throw new FST_RSP_SESSION_LOGIN_OPTION(`there is no option ${shown(name)}, only ${known.join(', ')}`)
  }
  const { data, carry } = given as { data?: unknown, carry?: unknown }
  if (data !== undefined && !isPlain(data)) throw new FST_RSP_SESSION_LOGIN_OPTION(`'data' must be an object of fields, got ${data === null ? 'null' : Array.isArray(data) ? 'an array' : `a ${typeof data}`}`)
  if (carry !== undefined && !(Array.isArray(carry) && carry.every(name => typeof name === 'string'))) {
    throw new FST_RSP_SESSION_LOGIN_OPTION(`'carry' must be an array of field names, got ${shown(carry)}`)
  }
}

function isPlain (value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shown (value: unknown): string {
  return inspect(value, { depth: 0, maxStringLength: 40, maxArrayLength: 5, breakLength: Infinity })
}
