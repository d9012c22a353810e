import { refusalText } from './answer.ts'
import { ask } from './ask.ts'

/** A token, or in words why there is none. */
export type LogIn =
  | { readonly token: string, readonly atMs: number }
  | { readonly token: undefined, readonly why: string }

function randomHex (bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), byte => byte.toString(16).padStart(2, '0')).join('')
}

/** Somebody with a name and a password that only this page knows, and only until it is closed. */
export class Visitor {
  #credentials: { username: string, password: string } | undefined
  #last: Promise<unknown> = Promise.resolve()

  /** Signs up first, if the server does not know this somebody. Log-ins are made one after the other: the last one asked for is the one that stays. */
  logIn (): Promise<LogIn> {
    const next = this.#last.then(() => this.#enter())
    this.#last = next
    return next
  }

  async #enter (): Promise<LogIn> {
    if (this.#credentials === undefined) {
      // A new name each time: one whose answer was lost may be taken.
      const credentials = { username: `stage-${randomHex(8)}`, password: randomHex(24) }
      const answer = await ask('POST', '/signup', { body: credentials })
      if (answer.status !== 200) return { token: undefined, why: refusalText(answer) }
      this.#credentials = credentials
    }
    const answer = await ask('POST', '/login', { body: { ...this.#credentials, transport: 'bearer' } })
    const { sessionToken } = Object(answer.body) as { sessionToken?: unknown }
    // Its users are gone, with the volume of a container for example: the next time is the first.
    if (answer.status === 401) this.#credentials = undefined
    if (answer.status !== 200 || typeof sessionToken !== 'string') return { token: undefined, why: refusalText(answer) }
    return { token: sessionToken, atMs: answer.atMs }
  }
}
