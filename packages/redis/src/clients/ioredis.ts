import type { Adapter, Command } from './adapter.ts'
import { ClusterAdapter } from './cluster-adapter.ts'
import { type Connection, ConnectionState, refuse } from './connection.ts'
import type { IoredisClass, IoredisClient, IoredisCluster, IoredisCommandClass, IoredisOptions } from './ioredis-shapes.ts'
import { IoredisSubscriber } from './ioredis-subscriber.ts'
import { loadIoredis } from './load-ioredis.ts'
import type { Address } from './slot-map.ts'
import { StandaloneAdapter } from './standalone-adapter.ts'

const longestConnectMs = 2_000

// A command whose answer was lost is never sent again behind our back, none waits for a connection, and none is changed.
const own = (given: IoredisOptions) => ({
  autoResendUnfulfilledCommands: false,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  retryStrategy: () => 250,
  sentinelRetryStrategy: () => 250,
  reconnectOnError: null,
  // A server that loads is asked, and says so; the client would only wait.
  enableReadyCheck: false,
  connectTimeout: Math.min(given.connectTimeout ?? longestConnectMs, longestConnectMs),
  commandTimeout: undefined,
  socketTimeout: undefined,
  // Of a Sentinel's servers, the master: a replica's answers may be old.
  role: 'master',
  // Replies of one form, whatever the client's own are.
  protocol: 2,
  stringNumbers: false,
  readOnly: false,
  keyPrefix: '',
  lazyConnect: true
})

/** What is written in one turn of the event loop leaves as one write. */
class Batch {
  readonly #redis: IoredisClient
  #stream: IoredisClient['stream']
  #works: (() => void)[] = []

  constructor (redis: IoredisClient) {
    this.#redis = redis
  }

  /** Before the write leaves, so that what the work sends leaves with it. */
  soon (work: () => void): void {
    this.#works.push(work)
    if (this.#works.length === 1) setImmediate(() => this.#work())
    this.open()
  }

  open (): void {
    const { stream } = this.#redis
    if (stream === this.#stream) return
    this.#stream = stream
    stream?.cork()
    setImmediate(() => {
      try {
        this.#work()
      } finally {
        this.#stream = undefined
        stream?.uncork()
      }
    })
  }

  #work (): void {
    const works = this.#works
    this.#works = []
    for (const work of works) work()
  }
}

class IoredisConnection implements Connection {
  readonly name: string
  readonly #state = new ConnectionState()
  readonly #redis: IoredisClient
  readonly #Command: IoredisCommandClass
  readonly #batch: Batch
  readonly #duplicate: (override: object) => IoredisClient

  constructor (redis: IoredisClient, Command: IoredisCommandClass) {
    const { host = 'localhost', port = 6379, path, name, sentinels } = redis.options
    this.name = sentinels ? `sentinel:${name ?? ''}` : path ?? `${host}:${port}`
    this.#redis = redis
    this.#Command = Command
    this.#batch = new Batch(redis)
    this.#duplicate = override => redis.duplicate(override)
    redis.on('error', (error: Error) => this.#state.failed(error))
    redis.on('ready', () => this.#selected())
    redis.on('close', () => this.#state.become(false))
  }

  get ready (): boolean {
    return this.#state.ready
  }

  get lastError (): Error | undefined {
    return this.#state.lastError
  }

  exec (command: Command): void {
    if (!this.#state.ready || this.#redis.stream?.writable !== true) refuse(command)
    else this.#send(command)
  }

  soon (work: () => void): void {
    this.#batch.soon(work)
  }

  subscriber (): IoredisSubscriber {
    return new IoredisSubscriber(this.#duplicate({ enableOfflineQueue: true, retryStrategy: () => null, autoResubscribe: false, lazyConnect: false }), this.#Command)
  }

  on (event: 'ready' | 'lost' | 'failed', listener: () => void): void {
    this.#state.on(event, listener)
  }

  connect (): void {
    this.#redis.connect().catch(() => {}) // tried again by itself; 'error' has told why
  }

  async close (): Promise<void> {
    this.#redis.disconnect()
  }

  #send (command: Command): void {
    this.#batch.open()
    const reply = { replyEncoding: command.bytes ? null : 'utf8' as const }
    this.#redis.sendCommand(new this.#Command(command.name, command.args, reply, (error, reply) => command.done(error ?? null, reply)))
  }

  // The client goes on in database 0 when its own is refused.
  #selected (): void {
    const { db = 0 } = this.#redis.options
    if (db === 0) {
      this.#state.become(true)
      return
    }
    const done = (error: Error | null) => {
      if (error === null) {
        this.#state.become(true)
      } else {
        this.#state.failed(error)
        this.#redis.disconnect(true)
      }
    }
    this.#send({ name: 'SELECT', args: [db], key: undefined, bytes: false, redirect: 'refuse', done })
  }
}

/** The link's own connections, made from a client of ioredis or iovalkey; the client itself is left as it is. */
export function createIoredisAdapter (client: object): Adapter {
  const given = client as IoredisClient | IoredisCluster
  return given.isCluster === true ? clusterOf(given as IoredisCluster) : standaloneOf(given as IoredisClient)
}

function standaloneOf (client: IoredisClient): Adapter {
  const { Command = loadIoredis().Command } = client.constructor as Partial<IoredisClass>
  return new StandaloneAdapter('ioredis', new IoredisConnection(client.duplicate(own(client.options)), Command))
}

function clusterOf (client: IoredisCluster): Adapter {
  const { Redis, Command } = loadIoredis()
  const { redisOptions = {}, natMap } = client.options
  return new ClusterAdapter({
    flavour: 'ioredis',
    startNodes: client.startupNodes.map(addressOf),
    open: address => new IoredisConnection(new Redis({ ...redisOptions, ...own(redisOptions), ...address }), Command),
    ...(natMap ? { translate: translation(natMap) } : {})
  })
}

function translation (natMap: NonNullable<IoredisCluster['options']['natMap']>): (address: Address) => Address {
  return address => {
    const name = `${address.host}:${address.port}`
    return (typeof natMap === 'function' ? natMap(name) : natMap[name]) ?? address
  }
}

function addressOf (node: IoredisCluster['startupNodes'][number]): Address {
  if (typeof node === 'number') return { host: '127.0.0.1', port: node }
  if (typeof node === 'string') {
    const url = new URL(node.includes('://') ? node : `redis://${node}`)
    return { host: url.hostname, port: Number(url.port || 6379) }
  }
  return { host: node.host ?? '127.0.0.1', port: node.port ?? 6379 }
}

/** A client for the app, of a url and options of ioredis. It connects in its own time, and goes on trying. */
export function createIoredisClient (url: string | undefined, options: IoredisOptions = {}): IoredisClient {
  const { Redis } = loadIoredis()
  const all = { retryStrategy: () => 250, maxRetriesPerRequest: 1, ...options }
  const client = url === undefined ? new Redis(all) : new Redis(url, all)
  client.on('error', () => {}) // the link tells of it
  return client
}
