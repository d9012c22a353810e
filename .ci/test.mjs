// npm test: installs what is missing, runs every package's tests, and ends with the true sum over all of them.
import './install.mjs'
import './redis-server.mjs'
import './chromium.mjs'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bin, root, run } from './install.mjs'

run(process.execPath, ['examples/app/build-pages.mjs'])
const { countTests, heldUp, sumOf } = await import('./tap-count.mjs')
const folder = mkdtempSync(join(tmpdir(), 'respite-test-'))
const reporter = process.env.CI || !process.stdout.isTTY ? 'terse' : 'base'
// Every process that runs TypeScript, those that tests start included, loads it the fast way.
const NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --import=${new URL('typescript/register.mjs', import.meta.url).href}`.trim()

function runTests (...args) {
  const output = join(folder, 'run.tap')
  const { status } = spawnSync(bin('tap'), [`--reporter=${reporter}`, `--output-file=${output}`, ...args], { cwd: root, stdio: 'inherit', env: { ...process.env, NODE_OPTIONS, RESPITE_TYPESCRIPT_FOLDER: folder } })
  const tap = readFileSync(output, 'utf8')
  const counts = countTests(tap)
  return { status, counts, whole: new RegExp(`^1\\.\\.${counts.size}$`, 'm').test(tap) }
}

function print (word, { failures }) {
  for (const { name, reasons } of failures) console.log([`${word}: ${name}`, ...reasons].join('\n  '))
}

const asked = process.argv.slice(2)
const { status, counts, whole } = runTests(...asked)
// Those that were asked for by name are not run twice: who breaks the code to see a test fail sees it at once. Nor is a run that broke off
// mended by it: what did not run is not proven.
const again = asked.length === 0 && whole ? heldUp(counts) : []
if (again.length > 0) {
  print('unsteady, run again by itself', sumOf(again.map(file => counts.get(file))))
  for (const [file, count] of runTests('--jobs=1', ...again).counts) counts.set(file, count)
}
rmSync(folder, { recursive: true })

const { passed, failed, skipped, failures } = sumOf(counts.values())
print('failed', { failures })
// A run that ended badly without a failed test is a failure all the same.
const lost = status !== 0 && failed === 0 && again.length === 0 ? 1 : 0
if (lost) console.log(`failed: the run itself ended with ${status}`)
const unsteady = again.filter(file => counts.get(file).failed === 0).length
console.log(`${passed} passed, ${failed + lost} failed${skipped > 0 ? `, ${skipped} skipped` : ''}${unsteady > 0 ? `, ${unsteady} unsteady` : ''}`)
process.exit(failed + lost > 0 || passed === 0 ? 1 : 0)
