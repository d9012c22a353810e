import { freePort } from '@respite/testing'
import t from 'tap'
import { openPostgres } from '../../src/database/postgres.ts'

t.test('a database that is not there is named by its variable, without its password', async t => {
  await t.rejects(openPostgres(`postgres://user:hunter2@127.0.0.1:${await freePort()}/none`), {
    code: 'FST_RSP_APP_DATABASE', message: /^the database \(DATABASE_URL\) cannot be used: (?!.*hunter2).*ECONNREFUSED/
  })
})
