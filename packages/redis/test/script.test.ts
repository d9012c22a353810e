import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { defineScript, loadScript } from '../src/script.ts'

const sha1 = (text: string) => createHash('sha1').update(text).digest('hex')

t.test('a script knows its SHA-1, with and without the line of flags', async t => {
  const script = defineScript('cache.fill', 'return 1', { flags: ['allow-oom', 'no-writes'] })
  t.match(script, { name: 'cache.fill', lua: 'return 1', sha: sha1('return 1'), reply: 'text', redirect: 'follow' })
  t.equal(script.flagged.lua, '#!lua flags=allow-oom,no-writes\nreturn 1')
  t.equal(script.flagged.sha, sha1(script.flagged.lua))
  t.equal(defineScript('x', 'return 1').flagged.lua, '#!lua flags=\nreturn 1')
  t.throws(() => { (script as { lua: string }).lua = '' }, TypeError)
})

t.test('a script is read from its file as it lies there', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'respite-script-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  writeFileSync(join(dir, 'x.lua'), '-- Does ü.\nreturn 2\n')
  const script = loadScript('x', pathToFileURL(join(dir, 'x.lua')), { reply: 'bytes', redirect: 'refuse' })
  t.match(script, { lua: '-- Does ü.\nreturn 2\n', sha: sha1('-- Does ü.\nreturn 2\n'), reply: 'bytes', redirect: 'refuse' })
})
