import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse } from 'yaml'
import { environmentSchema, readEnvironment } from '../src/environment.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const variables = Object.keys(environmentSchema.properties)

/** The instructions of the Dockerfile, continued lines joined. */
const instructions = read('examples/app/Dockerfile').replace(/^\s*#.*\n/gm, '').replaceAll('\\\n', '').split('\n').filter(Boolean)
  .map(line => ({ word: line.split(' ')[0]!, rest: line.slice(line.indexOf(' ') + 1).trim() }))
const said = (word: string) => instructions.filter(it => it.word === word).map(it => it.rest)

interface Service {
  profiles?: string[]
  ports?: string[]
  environment?: Record<string, string>
  depends_on?: Record<string, { condition: string, required: boolean }>
  networks?: { default: { aliases: string[] } }
  volumes?: string[]
}
const compose = parse(read('examples/app/compose.yaml')) as { services: Record<string, Service & { build?: { context: string, dockerfile: string } }>, volumes: Record<string, null> }
const { app, ...servers } = compose.services

t.test('the image copies what is there, and installs by the pnpm of the repository', async t => {
  for (const sources of said('COPY').filter(it => !it.startsWith('--from'))) {
    for (const source of sources.split(' ').slice(0, -1)) t.ok(existsSync(join(root, source)), source)
  }
  const [, pnpm] = /const pnpm = '(.+)'/.exec(read('.ci/install.mjs'))!
  t.strictSame(said('ARG'), [`PNPM=${pnpm}`])
  for (const [script] of said('RUN').join(' ').matchAll(/[\w./-]+\.mjs/g)) t.ok(existsSync(join(root, script)), script)
})

t.test('the image runs the built app, as nobody special, and is told by variables that exist', async t => {
  t.strictSame(said('USER'), ['node'])
  t.strictSame(said('STOPSIGNAL'), ['SIGTERM'])
  const [command] = said('CMD')
  const [program, file] = JSON.parse(command!) as string[]
  t.equal(program, 'node')
  t.ok(existsSync(join(root, 'examples/app', file!.replace('dist/', 'src/').replace('.js', '.ts'))), `${file} is built`)
  const given = Object.fromEntries(said('ENV').join(' ').split(' ').map(pair => pair.split('=')))
  t.strictSame(Object.keys(given).filter(name => !variables.includes(name)), [])
  t.match(readEnvironment({ ...given, REDIS_URL: 'redis://cache:6379' }), { HOST: '0.0.0.0', PORT: 8080, DATA_DIR: said('VOLUME')[0] })
  t.strictSame(said('EXPOSE'), [given.PORT])
})

t.test('its health check asks /health, and ends as it is answered', async t => {
  const [, , code] = JSON.parse(/CMD (\[.*\])$/.exec(said('HEALTHCHECK')[0]!)![1]!) as string[]
  for (const [answer, status] of [['{ ok: true }', 0], ['{ ok: false }', 1]]) {
    const fetch = `globalThis.fetch = async url => { if (url !== 'http://127.0.0.1:8081/health') process.exit(9); return ${answer} };`
    const ended = (() => {
      try {
        execFileSync(process.execPath, ['-e', fetch + code], { env: { PORT: '8081' } })
        return 0
      } catch (error) {
        return (error as { status: number }).status
      }
    })()
    t.equal(ended, status)
  }
})

t.test('no secret, no data and nothing built elsewhere gets into the image', async t => {
  const ignored = read('.dockerignore').split('\n')
  for (const path of ['.git', '**/node_modules', '**/dist', '**/data', '**/.env', '**/test']) t.ok(ignored.includes(path), path)
})

t.test('one profile a server, each reached as `cache`, and none from outside', async t => {
  t.strictSame(Object.fromEntries(Object.entries(servers).map(([name, { profiles }]) => [name, profiles])),
    { redis: ['redis'], valkey: ['valkey'], dragonfly: ['dragonfly'], postgres: ['postgres'] })
  for (const [name, { ports, networks }] of Object.entries(servers)) {
    t.equal(ports, undefined, name)
    t.strictSame(networks?.default.aliases, name === 'postgres' ? undefined : ['cache'])
  }
  for (const port of app!.ports!) t.match(port, /^127\.0\.0\.1:/)
  for (const { volumes = [] } of Object.values(compose.services)) for (const volume of volumes) t.ok(volume.split(':')[0]! in compose.volumes, volume)
})

t.test('the app waits for what was started, and is told by variables that exist', async t => {
  t.strictSame(Object.keys(app!.depends_on!), Object.keys(servers))
  for (const [name, { condition, required }] of Object.entries(app!.depends_on!)) t.strictSame({ condition, required }, { condition: 'service_healthy', required: false }, name)
  t.strictSame(Object.keys(app!.environment!).filter(name => !variables.includes(name)), [])
  t.equal(new URL(app!.environment!.REDIS_URL!).hostname, 'cache')
  t.ok(existsSync(join(root, 'examples/app', app!.build!.context, app!.build!.dockerfile)))
})

t.test('no secret is written down: what is not given is empty', async t => {
  const { DATABASE_URL, SESSION_SECRET, TRACKING_KEY, DASHBOARD_TOKEN } = app!.environment!
  t.match(SESSION_SECRET, /^\$\{SESSION_SECRET:-\}$/)
  t.match(TRACKING_KEY, /^\$\{TRACKING_KEY:-\}$/)
  t.match(DASHBOARD_TOKEN, /^\$\{DASHBOARD_TOKEN:-\}$/)
  t.match(DATABASE_URL, /^\$\{POSTGRES_PASSWORD:\+.*\$\{POSTGRES_PASSWORD\}.*\}$/)
  t.match(servers.postgres!.environment!.POSTGRES_PASSWORD, /^\$\{POSTGRES_PASSWORD:-\}$/)
})
