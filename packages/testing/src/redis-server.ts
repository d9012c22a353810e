import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

/** A Redis server of the test's own, on a free port, with a folder of its own. */
export interface RedisServer {
  readonly port: number
  readonly url: string
  readonly pid: number
  /** SIGSTOP: the kernel goes on accepting, nobody answers. */
  freeze (): void
  /** SIGCONT. */
  thaw (): void
  /** SIGKILL; resolves when it is gone. */
  kill (): Promise<void>
  /** Starts it again, empty, and on the same port unless somebody has taken that meanwhile. */
  restart (): Promise<void>
  /** Kills it and removes its folder. */
  stop (): Promise<void>
}

// In a Cluster the nodes talk to each other on the port 10,000 above.
const highestClusterPort = 55_535

let binary: string | undefined

/** `redis-server` or `valkey-server`, whichever is on PATH. */
function redisBinary (): string {
  binary ??= ['redis-server', 'valkey-server'].find(name => {
    try {
      execFileSync(name, ['--version'], { stdio: 'ignore' })
      return true
    } catch {
      return false // not on PATH
    }
  })
  if (binary === undefined) throw new Error('neither redis-server nor valkey-server is on PATH')
  return binary
}

// A test that dies takes its servers along.
const running = new Set<ChildProcess>()
process.once('exit', () => { for (const server of running) server.kill('SIGKILL') })

/**
 * Starts a server; resolves when it says that it accepts connections.
 * @param args - further arguments, such as `'--requirepass', 'x'`
 */
export async function startRedis (...args: string[]): Promise<RedisServer> {
  const dir = mkdtempSync(join(tmpdir(), 'respite-redis-'))
  const highest = args.includes('--cluster-enabled') ? highestClusterPort : undefined
  let port = await freePort(highest)
  let child = await boot()

  async function boot (): Promise<ChildProcess> {
    for (let attempt = 1; ; attempt++) {
      const born = spawn(redisBinary(), ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
      running.add(born)
      born.once('exit', () => { running.delete(born) })
      let said = ''
      born.stdout.setEncoding('utf8').on('data', (text: string) => { said += text })
      try {
        // By its own word: a connection to the port may as well reach the server of another test, which had it first.
        await until(`redis-server on ${port}`, () => {
          if (born.exitCode !== null) throw new Error(`redis-server ended at start: ${said.trim().split('\n').at(-1)}`)
          return said.includes('Ready to accept connections')
        })
        born.stdout.removeAllListeners('data').resume()
        return born
      } catch (error) {
        // The port may have been taken between finding and binding.
        if (attempt === 3) throw error
        port = await freePort(highest)
      }
    }
  }

  async function kill () {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  return {
    get port () { return port },
    get url () { return `redis://127.0.0.1:${port}` },
    get pid () { return child.pid! },
    freeze: () => { child.kill('SIGSTOP') },
    thaw: () => { child.kill('SIGCONT') },
    kill,
    async restart () {
      await kill()
      child = await boot()
    },
    async stop () {
      child.kill('SIGCONT')
      await kill()
      rmSync(dir, { recursive: true, force: true })
    }
  }
}
