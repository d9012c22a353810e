import t from 'tap'
import { readOptions } from '../../load/options.mjs'

t.test('what is not asked for has a default', async t => {
  t.strictSame(readOptions([]), { url: undefined, seconds: 10, connections: 20, p95Ms: 100, hitRate: 0.9 })
  t.strictSame(readOptions(['--url', 'http://localhost:8080/', '--seconds', '2', '--connections=1', '--p95-ms=0.5', '--hit-rate=1']),
    { url: 'http://localhost:8080', seconds: 2, connections: 1, p95Ms: 0.5, hitRate: 1 })
})

t.test('a wrong option is named with its value', async t => {
  const wrong: Array<[string[], string]> = [
    [['--seconds', '0'], "--seconds must be a number of seconds, 1 to 3600; got '0'"],
    [['--connections', '1.5'], "--connections must be a whole number of connections, 1 to 1000; got '1.5'"],
    [['--p95-ms='], "--p95-ms must be a number of milliseconds, 0.001 to 60000; got ''"],
    [['--hit-rate', '90%'], "--hit-rate must be a share, 0 to 1; got '90%'"],
    [['--url', 'localhost:8080'], "--url must be the address of a server, such as http://localhost:8080; got 'localhost:8080'"],
    [['--url', 'https://a.example/app'], "--url must be the address of a server, such as http://localhost:8080; got 'https://a.example/app'"]
  ]
  for (const [args, message] of wrong) t.throws(() => readOptions(args), { message })
  t.throws(() => readOptions(['--hits', '1']), { message: /--hits/ })
})
