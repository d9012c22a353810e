import { mysqlStore } from '@respite/session'
import { mysqlMissing, startMysql } from '@respite/testing'
import t from 'tap'
import { durableServerContract } from '../contracts/durable-server.ts'

const mysql = await startMysql()

t.test('over MySQL and Redis', { skip: mysql === undefined ? mysqlMissing : false }, async t => {
  const { pool, stop } = mysql!
  await durableServerContract(t, async () => ({ store: () => mysqlStore(pool), query: async text => (await pool.query(text))[0], stop }))
})
