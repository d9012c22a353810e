import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { serve } from '../journeys/server.ts'

const main = fileURLToPath(new URL('../../load/main.mjs', import.meta.url))

async function load (t: Test, ...args: string[]): Promise<{ status: number, output: string }> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  t.teardown(() => { child.kill('SIGKILL') })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => { output += text })
  return { status: (await ended)[0], output }
}

t.test('a second of load: a table, and 0 when the thresholds are kept', async t => {
  const { url } = await serve(t)
  const { status, output } = await load(t, '--url', url, '--seconds', '1', '--p95-ms', '5000')
  t.equal(status, 0, output)
  for (const name of ['requests a second', 'p50', 'p95', 'p99', 'hit rate']) t.match(output, new RegExp(`^${name} +[\\d.]+( ms)?$`, 'm'))
  t.match(output, /^errors +0$/m)
})

t.test('a threshold that is not kept is named, and ends it with 1', async t => {
  const { url } = await serve(t)
  const { status, output } = await load(t, '--url', `${url}/`, '--seconds', '1', '--connections', '2', '--p95-ms', '0.001')
  t.equal(status, 1)
  t.match(output, /^not kept: p95 is [\d.]+ ms, allowed are 0.001 ms$/m)
  t.notMatch(output, /not kept: the hit rate/)
})

t.test('requests that get no answer are told', async t => {
  const { app, url } = await serve(t)
  await app.close()
  const { status, output } = await load(t, '--url', url, '--seconds', '1', '--connections', '1')
  t.equal(status, 1)
  t.match(output, /^not kept: \d+ requests failed$/m)
  t.match(output, /^not kept: the hit rate is NaN, wanted are 0.9$/m)
})
