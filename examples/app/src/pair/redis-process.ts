import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { FST_RSP_APP_NO_REDIS, FST_RSP_APP_PART_ENDED } from '../errors.ts'

/** A Redis of the pair's own, on a free port of loopback; it keeps nothing when it ends. */
export interface RedisProcess {
  readonly url: string
  stop (): Promise<void>
}

/** @throws FST_RSP_APP_NO_REDIS, FST_RSP_APP_PART_ENDED */
export async function startRedis (): Promise<RedisProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'respite-pair-'))
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  for (const binary of ['redis-server', 'valkey-server']) {
    // In a group of its own: Ctrl-C reaches the servers first, which still have something to write.
    const child = spawn(binary, args, { stdio: 'ignore', detached: true })
    const ended = new Promise(resolve => child.once('exit', resolve))
    if (!await started(child)) continue
    process.once('exit', () => child.kill('SIGKILL'))
    while (!await accepts(port)) {
      if (child.exitCode !== null) throw new FST_RSP_APP_PART_ENDED(binary, `exit ${child.exitCode}`)
      await setTimeout(10)
    }
    return {
      url: `redis://127.0.0.1:${port}`,
      async stop () {
        if (child.exitCode === null && child.signalCode === null && child.kill('SIGTERM')) await ended
        rmSync(folder, { recursive: true, force: true })
      }
    }
  }
  rmSync(folder, { recursive: true })
  throw new FST_RSP_APP_NO_REDIS()
}

function started (child: ReturnType<typeof spawn>): Promise<boolean> {
  return new Promise(resolve => {
    child.once('spawn', () => resolve(true))
    child.once('error', () => resolve(false)) // it is not on PATH
  })
}

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function accepts (port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => { socket.destroy(); resolve(true) })
    socket.once('error', () => resolve(false)) // not yet
  })
}
