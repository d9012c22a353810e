import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

/** What came back. */
export interface Answer {
  status: number
  headers: Headers
  /** The body, read as JSON. */
  json: any
}

/** Asks a path of a running app. */
export type Ask = (path: string, init?: { method?: string, headers?: Record<string, string>, body?: unknown }) => Promise<Answer>

const execArgv = ['--import', new URL('../../../.ci/typescript/register.mjs', import.meta.url).href, '--conditions=@respite/source', '--no-warnings']

/** Starts an app from its source, as a process of its own that ends with the test. */
export async function start (t: Test, name: string, environment: Record<string, string>): Promise<Ask> {
  const { TAP: _, REDIS_URL: __, ...inherited } = process.env
  const file = fileURLToPath(new URL(`../src/${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, [...execArgv, file], { env: { ...inherited, ...environment, PORT: '0' }, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let output = ''
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', text => {
        output += text
        const said = /listening at (http:\/\/127\.0\.0\.1:\d+)/.exec(output)
        if (said) resolve(said[1]!)
      })
    }
    ended.then(() => reject(new Error(`${name} ended: ${output}`)))
  })
  return async (path, { body, ...init } = {}) => {
    const headers = { ...init.headers, ...(body !== undefined && { 'content-type': 'application/json' }) }
    const response = await fetch(url + path, { ...init, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
    const text = await response.text()
    return { status: response.status, headers: response.headers, json: text === '' ? undefined : JSON.parse(text) }
  }
}
