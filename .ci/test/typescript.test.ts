import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const register = new URL('../typescript/register.mjs', import.meta.url).href

/** Runs a module in a process of its own, whose folder of what others made is this one. */
function said (folder: string, file: string): string {
  return execFileSync(process.execPath, ['--import', register, file], { encoding: 'utf8', env: { PATH: process.env['PATH'], RESPITE_TYPESCRIPT_FOLDER: folder } }).trim()
}

t.test('what one process has made of a file serves the next, until the file is another', async t => {
  const root = t.testdir({ made: {}, 'a.ts': 'const word: string = \'one\'\nprocess.stdout.write(word)' })
  const [made, file] = [join(root, 'made'), join(root, 'a.ts')]
  t.equal(said(made, file), 'one')
  const [name] = readdirSync(made) as [string]
  t.same(readdirSync(made), [name], 'nothing half is left')
  writeFileSync(join(made, name), readFileSync(join(made, name), 'utf8').replace('one', 'shared'))
  t.equal(said(made, file), 'shared')
  writeFileSync(file, 'const word: string = \'two\'\nprocess.stdout.write(word)')
  t.equal(said(made, file), 'two')
})

t.test('a folder that takes nothing costs time, and nothing else', async t => {
  const root = t.testdir({ 'a.ts': 'process.stdout.write(\'one\' satisfies string)' })
  t.equal(said(join(root, 'nowhere'), join(root, 'a.ts')), 'one')
})

t.test('what the runner loads for coverage and mocks is loaded by no process', async t => {
  const root = t.testdir({ node_modules: { '@tapjs': { mock: { dist: { esm: { 'import.mjs': 'process.stdout.write(\'loaded\')' } } } } }, 'a.ts': 'import \'./node_modules/@tapjs/mock/dist/esm/import.mjs\'' })
  t.equal(said(root, join(root, 'a.ts')), '')
})
