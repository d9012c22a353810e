import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { environmentSchema, packageFolder, readEnvironment, redisUrl } from '../src/environment.ts'

t.test('has a default for all that the app needs', async t => {
  const environment = readEnvironment({})
  t.match(environment, { PORT: 8080, HOST: 'localhost', LOG_LEVEL: 'info', REDIS_TLS: false, TRUST_PROXY: [], RATE_LIMIT_ALLOW: [], CACHE_DEFAULT_TTL: 300_000, CACHE_MAX_ITEMS: 10_000, PAIR_PORTS: [0, 0] })
  t.equal(environment.DATA_DIR, join(packageFolder, 'data'))
  t.equal(environment.REDIS_URL, undefined)
  t.equal(environment.RATE_LIMIT_PER_HOUR, undefined)
})

t.test('reads each variable in its type', async t => {
  const environment = readEnvironment({
    PORT: '0', REDIS_TLS: 'true', REDIS_URL: 'redis://example:6379/1', CACHE_MAX_ITEMS: '7', CACHE_DEFAULT_TTL: '1500', RATE_LIMIT_PER_HOUR: '100', TRUST_PROXY: '10.0.0.0/8, ::1,', RATE_LIMIT_ALLOW: '192.0.2.1', PAIR_PORTS: '8081,8082'
  })
  t.match(environment, { PORT: 0, REDIS_TLS: true, CACHE_MAX_ITEMS: 7, CACHE_DEFAULT_TTL: 1_500, RATE_LIMIT_PER_HOUR: 100, TRUST_PROXY: ['10.0.0.0/8', '::1'], RATE_LIMIT_ALLOW: ['192.0.2.1'], PAIR_PORTS: [8081, 8082] })
})

t.test('speaks TLS where that is asked for', async t => {
  t.equal(redisUrl({ REDIS_URL: 'redis://:redis:@example/0', REDIS_TLS: true }), 'rediss://:redis:@example/0')
  t.equal(redisUrl({ REDIS_URL: 'redis://example', REDIS_TLS: false }), 'redis://example')
  t.equal(redisUrl({ REDIS_TLS: true }), undefined)
})

t.test('takes the URLs of both kinds of database server', async t => {
  for (const DATABASE_URL of ['postgres:///app', 'postgresql://example/app', 'mysql://root@example:3306/app']) t.match(readEnvironment({ DATABASE_URL }), { DATABASE_URL })
})

t.test('takes an empty variable as not given', async t => {
  t.match(readEnvironment({ PORT: '', REDIS_URL: '' }), { PORT: 8080, REDIS_URL: undefined })
})

t.test('ignores what is not its own', async t => {
  t.notOk('PATH' in readEnvironment({ PATH: '/bin' }))
})

const wrong: Array<[string, string]> = [
  ['PORT', 'abc'], ['PORT', '-1'], ['PORT', '65536'], ['PORT', '80.5'], ['LOG_LEVEL', 'loud'], ['REDIS_TLS', 'perhaps'], ['REDIS_URL', 'http://example'], ['REDIS_URL', 'redis://'],
  ['DATABASE_URL', 'mongodb://example'], ['DATABASE_URL', 'mysql:example'], ['CACHE_DEFAULT_TTL', 'soon'], ['CACHE_DEFAULT_TTL', '0'], ['CACHE_DEFAULT_TTL', '366d'], ['CACHE_MAX_ITEMS', '0'], ['CACHE_MAX_ITEMS', 'many'], ['RATE_LIMIT_PER_HOUR', '0'], ['RATE_LIMIT_BURST', '-5'],
  ['RATE_LIMIT_ALLOW', '300.1.1.1'], ['RATE_LIMIT_ALLOW', '10.0.0.0/33'], ['TRUST_PROXY', 'localhost'], ['TRUST_PROXY', '::1/129'], ['TRUST_PROXY', '1.2.3.4/'], ['WEATHER_URL', 'ftp://x'], ['PAIR_PORTS', '1,x'], ['PAIR_PORTS', '80,70000']
]
for (const [name, value] of wrong) {
  t.test(`refuses ${name}=${value} by its name`, async t => {
    t.throws(() => readEnvironment({ [name]: value }), { code: 'FST_RSP_APP_ENVIRONMENT', message: new RegExp(`^${name} must be [^\\n]+; got [^\\n]+$`) })
  })
}

t.test('names all variables that are wrong at once', async t => {
  t.throws(() => readEnvironment({ PORT: 'x', CACHE_MAX_ITEMS: 'y' }), { message: /^PORT must.*'x'\nCACHE_MAX_ITEMS must.*'y'$/ })
})

t.test('never shows the value of a secret', async t => {
  for (const [name, value] of [['SESSION_SECRET', 'hunter2'], ['TRACKING_KEY', 'hunter2'], ['DASHBOARD_TOKEN', 'hunter2'], ['REDIS_URL', 'http://:hunter2@example'], ['DATABASE_URL', 'mongodb://u:hunter2@example']] as const) {
    t.throws(() => readEnvironment({ [name]: value }), { message: new RegExp(`^${name} must be .*; got a string of ${value.length} characters$`) })
  }
})

t.test('in production asks for Redis, or for the word that none is meant', async t => {
  t.throws(() => readEnvironment({ NODE_ENV: 'production' }), { message: /^REDIS_URL must be given in production/ })
  t.ok(readEnvironment({ NODE_ENV: 'production', EMBEDDED: 'true' }).EMBEDDED)
  t.ok(readEnvironment({ NODE_ENV: 'production', REDIS_URL: 'redis://example' }).REDIS_URL)
})

t.test('reads .env of the folder it is started from; a variable wins over it', async t => {
  const folder = t.testdir({ '.env': 'PORT=1234\nHOST=example\n' })
  const before = process.cwd()
  process.chdir(folder)
  t.teardown(() => process.chdir(before))
  t.match(readEnvironment({ HOST: 'localhost' }), { PORT: 1234, HOST: 'localhost' })
})

t.test('the README has every variable, with its default', async t => {
  const readme = readFileSync(join(packageFolder, 'README.md'), 'utf8')
  for (const [name, property] of Object.entries(environmentSchema.properties)) {
    const { description, default: given = '' } = property as { description: string, default?: unknown }
    const shown = name === 'DATA_DIR' ? '`data` beside this file' : given === '' ? '–' : `\`${given}\``
    t.ok(readme.includes(`| \`${name}\` | ${shown} | ${description.split(';')[0]}`), `| \`${name}\` | ${shown} | ${description}`)
  }
})
