import t from 'tap'
import { callsSent, commandsBetween, parseCommandStats } from '../src/command-stats.ts'

const info = (lines: string[]) => ['# Commandstats', ...lines, ''].join('\r\n')

t.test('reads calls and microseconds, subcommands by their name', async t => {
  const stats = parseCommandStats(info([
    'cmdstat_get:calls=12,usec=34,usec_per_call=2.83,rejected_calls=0,failed_calls=0',
    'cmdstat_client|tracking:calls=1,usec=5,usec_per_call=5.00,rejected_calls=0,failed_calls=0'
  ]))
  t.same([...stats], [['get', { calls: 12, micros: 34 }], ['client|tracking', { calls: 1, micros: 5 }]])
})

t.test('reads what older servers write, without rejected and failed calls', async t => {
  t.same([...parseCommandStats(info(['cmdstat_GET:calls=1,usec=2,usec_per_call=2.00']))], [['get', { calls: 1, micros: 2 }]])
})

t.test('what lies between two readings leaves out what did not happen, and the reading itself', async t => {
  const before = parseCommandStats(info(['cmdstat_get:calls=10,usec=20', 'cmdstat_info:calls=1,usec=9', 'cmdstat_ping:calls=3,usec=3']))
  const after = parseCommandStats(info(['cmdstat_get:calls=15,usec=31', 'cmdstat_info:calls=2,usec=19', 'cmdstat_ping:calls=3,usec=3', 'cmdstat_set:calls=2,usec=4']))
  t.same([...commandsBetween(before, after)], [['get', { calls: 5, micros: 11 }], ['set', { calls: 2, micros: 4 }]])
})

t.test('what scripts call inside the server is not a call that was sent', async t => {
  const stats = parseCommandStats(info(['cmdstat_evalsha:calls=100,usec=1', 'cmdstat_incr:calls=100,usec=1', 'cmdstat_get:calls=60,usec=1']))
  t.equal(callsSent(stats, name => ({ evalsha: 1, incr: 0, get: 0.5 })[name]!), 130)
})
