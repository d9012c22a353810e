import type { Adapter, Command } from './adapter.ts'
import { ClusterAdapter } from './cluster-adapter.ts'
import { type Connection, ConnectionState, refuse } from './connection.ts'
import { loadNodeRedis } from './load-node-redis.ts'
import type { NodeRedisClient, NodeRedisCluster, NodeRedisOptions } from './node-redis-shapes.ts'
import { NodeRedisSubscriber } from './node-redis-subscriber.ts'
import type { Address } from './slot-map.ts'
import { StandaloneAdapter } from './standalone-adapter.ts'

const longestConnectMs = 2_000
// The RESP types `$` and `+`, as node-redis names them. The link has deadlines of its own.
const asBytes = { typeMapping: { 36: Buffer, 43: Buffer }, timeout: undefined }
const asText = { typeMapping: {}, timeout: undefined }

// As with ioredis: nothing waits for a connection, and nothing is sent again.
const own = ({ socket = {} }: NodeRedisOptions) => ({
  disableOfflineQueue: true,
  RESP: 2 as const,
  keyPrefix: undefined,
  commandOptions: undefined,
  commandsQueueMaxLength: undefined,
  clientSideCache: undefined,
  emitInvalidate: undefined,
  maintNotifications: 'disabled' as const,
  readonly: false,
  pingInterval: undefined,
  socket: { ...socket, reconnectStrategy: () => 250, connectTimeout: Math.min(socket.connectTimeout ?? longestConnectMs, longestConnectMs), socketTimeout: undefined }
})

class NodeRedisConnection implements Connection {
  readonly name: string
  readonly #state = new ConnectionState()
  readonly #client: NodeRedisClient

  constructor (client: NodeRedisClient) {
    const { host = 'localhost', port = 6379, path } = client.options?.socket ?? {}
    this.name = path ?? `${host}:${port}`
    this.#client = client
    client.on('error', (error: Error) => {
      this.#state.failed(error)
      this.#state.become(client.isReady)
    })
    client.on('ready', () => this.#state.become(true))
    for (const event of ['reconnecting', 'end']) client.on(event, () => this.#state.become(false))
  }

  get ready (): boolean {
    return this.#state.ready && this.#client.isReady
  }

  get lastError (): Error | undefined {
    return this.#state.lastError
  }

  exec (command: Command): void {
    if (!this.ready) {
      refuse(command)
      return
    }
    const args = [command.name, ...command.args.map(textOf)]
    this.#client.sendCommand(args, command.bytes ? asBytes : asText).then(reply => command.done(null, reply), (error: Error) => command.done(error, undefined))
  }

  soon (work: () => void): void {
    setImmediate(work)
  }

  subscriber (): NodeRedisSubscriber {
    return new NodeRedisSubscriber(this.#client.duplicate({ disableOfflineQueue: false, socket: { ...this.#client.options?.socket, reconnectStrategy: false } }))
  }

  on (event: 'ready' | 'lost' | 'failed', listener: () => void): void {
    this.#state.on(event, listener)
  }

  connect (): void {
    if (!this.#client.isOpen) this.#client.connect().catch(() => {}) // tried again by itself; 'error' has told why
  }

  async close (): Promise<void> {
    if (this.#client.isOpen) this.#client.destroy()
  }
}

const textOf = (arg: Command['args'][number]) => typeof arg === 'number' ? String(arg) : arg

/** The link's own connections, made from a client or cluster of node-redis; the client itself is left as it is. */
export function createNodeRedisAdapter (client: object): Adapter {
  if ('slots' in client || 'nodeByAddress' in client) return clusterOf(client as unknown as NodeRedisCluster)
  const given = client as NodeRedisClient
  return new StandaloneAdapter('node-redis', new NodeRedisConnection(given.duplicate(own(given.options ?? {}))))
}

function clusterOf (cluster: NodeRedisCluster): Adapter {
  const { rootNodes, defaults = {}, nodeAddressMap } = cluster._options
  const { createClient } = loadNodeRedis()
  return new ClusterAdapter({
    flavour: 'node-redis',
    startNodes: rootNodes.map(startNode),
    open: address => new NodeRedisConnection(createClient({ ...defaults, ...own(defaults), socket: { ...own(defaults).socket, ...address } })),
    ...(nodeAddressMap === undefined ? {} : { translate: translation(nodeAddressMap) })
  })
}

function translation (map: NonNullable<NodeRedisCluster['_options']['nodeAddressMap']>): (address: Address) => Address {
  return address => {
    const name = `${address.host}:${address.port}`
    return (typeof map === 'function' ? map(name) : map[name]) ?? address
  }
}

function startNode ({ url, socket }: NodeRedisOptions): Address {
  const { hostname, port } = url === undefined ? { hostname: socket?.host ?? 'localhost', port: socket?.port } : new URL(url)
  return { host: hostname, port: Number(port || 6379) }
}
