import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

/** A program of the app as a process of its own; it ends with the test. */
export interface Program {
  readonly child: ChildProcess
  /** What it has written so far, to either stream. */
  readonly output: string
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
  /** The port it listens on, once it says so. */
  readonly listening: Promise<number>
}

/** What runs a program from its source. */
export const execArgv = ['--import', new URL('../../../.ci/typescript/register.mjs', import.meta.url).href, '--conditions=@respite/source', '--no-warnings']

/** @param file - below `src`; it runs from its source */
export function start (t: Test, file: string, environment: Record<string, string>): Program {
  const { TAP: _, ...inherited } = process.env
  const child = fork(fileURLToPath(new URL(`../src/${file}`, import.meta.url)), { execArgv, env: { ...inherited, ...environment }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  let output = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.setEncoding('utf8').on('data', text => { output += text })
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  const listening = Promise.race([
    once(child, 'message').then(([message]) => message.listening.port as number),
    ended.then(how => { throw new Error(`${file} ended with ${how}: ${output}`) })
  ])
  listening.catch(() => undefined) // for those who wait for its end
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, ended, listening, get output () { return output } }
}
