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
const { countTests } = await import('./tap-count.mjs')
const folder = mkdtempSync(join(tmpdir(), 'respite-test-'))
const output = join(folder, 'run.tap')
const reporter = process.env.CI || !process.stdout.isTTY ? 'terse' : 'base'
// Every process that runs TypeScript, those that tests start included, loads it the fast way.
const NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --import=${new URL('typescript/register.mjs', import.meta.url).href}`.trim()
const { status } = spawnSync(bin('tap'), [`--reporter=${reporter}`, `--output-file=${output}`, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit', env: { ...process.env, NODE_OPTIONS, RESPITE_TYPESCRIPT_FOLDER: folder } })

const { passed, failed, skipped, failures } = countTests(readFileSync(output, 'utf8'))
rmSync(folder, { recursive: true })
for (const { name, reasons } of failures) console.log([`failed: ${name}`, ...reasons].join('\n  '))
// A run that ended badly without a failed test is a failure all the same.
const lost = status !== 0 && failed === 0 ? 1 : 0
if (lost) console.log(`failed: the run itself ended with ${status}`)
console.log(`${passed} passed, ${failed + lost} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exit(failed + lost > 0 || passed === 0 ? 1 : 0)
