import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readSecrets } from '../src/secrets.ts'

t.test('takes the secrets that are given, and makes no file', async t => {
  const DATA_DIR = t.testdir()
  t.same(readSecrets({ DATA_DIR, SESSION_SECRET: 's'.repeat(32), TRACKING_KEY: 't'.repeat(32) }), { session: 's'.repeat(32), tracking: 't'.repeat(32) })
  t.same(readdirSync(DATA_DIR), [])
})

t.test('makes what is not given once, for its owner alone', async t => {
  const DATA_DIR = join(t.testdir(), 'data')
  const first = readSecrets({ DATA_DIR })
  t.match(first.session, /^[\w-]{43}$/)
  t.not(first.session, first.tracking)
  t.same(readdirSync(DATA_DIR).sort(), ['session.secret', 'tracking.key'], 'and leaves no draft')
  for (const name of readdirSync(DATA_DIR)) t.equal(statSync(join(DATA_DIR, name)).mode & 0o777, 0o600)
  t.same(readSecrets({ DATA_DIR }), first)
})

t.test('refuses a damaged file by its name, and does not show what is in it', async t => {
  const DATA_DIR = t.testdir()
  readSecrets({ DATA_DIR })
  writeFileSync(join(DATA_DIR, 'session.secret'), 'hunter2')
  t.throws(() => readSecrets({ DATA_DIR }), { code: 'FST_RSP_APP_SECRET_FILE', message: /session\.secret' is damaged/ })
  try {
    readSecrets({ DATA_DIR })
  } catch (error) {
    t.notMatch((error as Error).message, 'hunter2')
  }
  t.equal(readFileSync(join(DATA_DIR, 'session.secret'), 'utf8'), 'hunter2', 'and leaves it as it is')
})
