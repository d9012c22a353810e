import { setTimeout as pause } from 'node:timers/promises'
import { freePort, type RedisServer, startProxy, startRedis, type TcpProxy, until } from '@respite/testing'
import { Redis } from 'ioredis'

/** A Redis behind addresses that stay, whichever server is the master. */
export class MovableRedis {
  /** The way of one process, which may be disturbed. */
  readonly lane: TcpProxy
  /** The way of all others. */
  readonly road: TcpProxy
  readonly #args: readonly string[]
  #master: RedisServer

  /** @param stops - what is to be stopped afterwards, the last first, is added */
  static async start (args: readonly string[], stops: (() => unknown)[]): Promise<MovableRedis> {
    // Without the delay a replica has its copy at once.
    const all = [...args, '--repl-diskless-sync-delay', '0']
    const master = await startRedis(...all)
    const ways = [await startProxy(master.port), await startProxy(master.port)] as const
    const redis = new MovableRedis(all, master, ways)
    stops.push(() => redis.master.stop(), ...ways.map(way => () => way.stop()))
    return redis
  }

  constructor (args: readonly string[], master: RedisServer, [lane, road]: readonly [TcpProxy, TcpProxy]) {
    this.#args = args
    this.#master = master
    this.lane = lane
    this.road = road
  }

  get master (): RedisServer { return this.#master }

  /**
   * The master dies, and a replica takes its place that has heard nothing of it for `lagMs`.
   * @returns how many bytes of what the master had acknowledged it lacks
   */
  async failOver (lagMs: number): Promise<number> {
    const replica = await startRedis(...this.#args)
    const [atMaster, atReplica] = [this.#master, replica].map(({ url }) => new Redis(url).on('error', () => undefined)) as [Redis, Redis]
    try {
      await atReplica.replicaof('127.0.0.1', String(this.#master.port))
      await until('the replica follows', async () => (await atReplica.info('replication')).includes('master_link_status:up'))
      // Nobody answers there: it keeps what it has.
      await atReplica.replicaof('127.0.0.1', String(await freePort()))
      const from = await offsetOf(atMaster)
      await pause(lagMs)
      const lacks = await offsetOf(atMaster) - from
      await this.#master.stop()
      await atReplica.replicaof('NO', 'ONE')
      this.#master = replica
      for (const way of [this.lane, this.road]) {
        way.targetPort = replica.port
        way.cut()
      }
      return lacks
    } catch (error) {
      if (this.#master !== replica) await replica.stop()
      throw error
    } finally {
      atMaster.disconnect()
      atReplica.disconnect()
    }
  }
}

async function offsetOf (master: Redis): Promise<number> {
  return Number(/^master_repl_offset:(\d+)/m.exec(await master.info('replication'))![1])
}
