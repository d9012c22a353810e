import { type Environment, readEnvironment } from './environment.ts'
import { startProxy } from './pair/proxy.ts'
import { startRedis } from './pair/redis-process.ts'
import { startServer } from './pair/server-process.ts'
import { tour } from './pair/tour.ts'
import { readSecrets } from './secrets.ts'
import { shutDownWith } from './shutdown.ts'

type Stop = () => Promise<void>

/** Two servers over one Redis behind one port: what is shared shows, because every second request goes to the other. */
async function start (stops: Stop[]): Promise<void> {
  const environment = readEnvironment()
  const redisUrl = environment.REDIS_URL ?? await redisOfOurOwn(stops)
  const secrets = readSecrets(environment)
  const shared = {
    ...process.env,
    HOST: '127.0.0.1',
    REDIS_URL: redisUrl,
    SESSION_SECRET: secrets.session,
    TRACKING_KEY: secrets.tracking,
    TRUST_PROXY: ['127.0.0.1', '::1', ...environment.TRUST_PROXY].join(',')
  }
  const servers = environment.PAIR_PORTS.map(port => startServer({ ...shared, PORT: String(port) }))
  for (const server of servers) stops.push(server.stop)
  const ports = await Promise.all(servers.map(server => server.port))
  const proxy = await startProxy(ports, { host: environment.HOST, port: environment.PORT })
  // Together: what has no end, such as the events of a dashboard, ends with its server, and the proxy waits for that.
  stops.push(async () => { await Promise.all([proxy.stop(), ...servers.map(server => server.stop())]) })
  process.stdout.write(tour(addressOf(environment, proxy.port), ports, { hasToken: environment.DASHBOARD_TOKEN !== undefined }))
}

async function redisOfOurOwn (stops: Stop[]): Promise<string> {
  const redis = await startRedis()
  stops.push(redis.stop)
  return redis.url
}

const addressOf = ({ HOST }: Environment, port: number) => `http://${HOST.includes(':') ? `[${HOST}]` : HOST}:${port}`

const stops: Stop[] = []
// The last started is the first stopped: the proxy with the servers, then what they stand on.
const stopAll = async () => { for (const stop of stops.splice(0).reverse()) await stop() }
const say = (text: unknown) => { process.stderr.write(`${text}\n`) }

shutDownWith(stopAll, { info: say, error: say })
try {
  await start(stops)
} catch (error) {
  say((error as Error).message)
  await stopAll()
  process.exit(1)
}
