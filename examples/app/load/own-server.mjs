import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const built = fileURLToPath(new URL('../dist/main.js', import.meta.url))

/**
 * Starts the example app on a free port of loopback, with a data folder of its own. Without REDIS_URL it is embedded.
 * @param entry - the app's main file; a test hands over the source
 */
export async function startOwnServer (entry = built, execArgv = process.execArgv) {
  const folder = mkdtempSync(join(tmpdir(), 'respite-load-'))
  const env = { ...process.env, PORT: '0', HOST: '127.0.0.1', DATA_DIR: folder, LOG_LEVEL: 'silent', EMBEDDED: 'true' }
  const child = fork(entry, { execArgv, env })
  const ended = once(child, 'exit')
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGTERM')) await ended
    rmSync(folder, { recursive: true, force: true })
  }
  const started = await Promise.race([once(child, 'message'), ended.then(() => undefined)])
  if (started !== undefined) return { url: `http://127.0.0.1:${started[0].listening.port}`, stop }
  await stop()
  throw new TypeError('the server ended at start')
}
