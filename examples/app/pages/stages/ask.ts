import { nowMs } from '../clock.ts'
import type { Answer } from './answer.ts'

/** What a question carries. */
export interface Question {
  token?: string | undefined
  body?: object
  /** Whether it outlives the page. */
  keepalive?: boolean
}

/** Asks the server, without cookies and past the browser's cache; whatever comes of it is an answer. */
export async function ask (method: string, path: string, { token, body, keepalive = false }: Question = {}): Promise<Answer> {
  const headers = new Headers({ accept: 'application/json' })
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
  if (body !== undefined) headers.set('content-type', 'application/json')
  try {
    const response = await fetch(path, { method, headers, keepalive, cache: 'no-store', credentials: 'omit', ...(body && { body: JSON.stringify(body) }) })
    return { status: response.status, headers: response.headers, body: jsonOf(await response.text()), atMs: nowMs() }
  } catch {
    return { status: 0, headers: new Headers(), body: undefined, atMs: nowMs() }
  }
}

// A proxy in between may answer with a page of its own.
function jsonOf (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
