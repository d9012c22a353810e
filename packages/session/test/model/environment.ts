import type { Step } from '@respite/testing'
import { tell, words } from './near.ts'
import { execute } from './redis.ts'
import { type Luck, newNear, type Scene, type World } from './world.ts'

/** What happens to the calls rather than through them. */
export function environment (scene: Scene, world: World): Step<World>[] {
  const { redis, late, luck, replica } = world
  const steps: Step<World>[] = late.map(([name], at) => ({ label: `the late ${name} reaches Redis`, act: after => { execute(scene, after, after.late.splice(at, 1)[0]!) } }))
  const may = (fault: keyof Luck, label: string, act: (world: World) => void) => {
    if (luck[fault] > 0) steps.push({ label, act: after => { after.luck[fault]--; act(after) } })
  }
  may('wipe', 'FLUSHALL', after => { after.redis = { gate: null, copies: {} }; tell(after, 'all') })
  if (redis.gate !== null) may('eviction', 'the gate is evicted', after => evict(after, ({ redis }) => { redis.gate = null }))
  for (const hash of Object.keys(redis.copies)) may('eviction', `the copy ${hash} is evicted`, after => evict(after, ({ redis }) => { delete redis.copies[hash] }))
  if (luck.failover + luck.handover > 0) may('replication', 'the replica catches up', after => { after.replica = structuredClone(after.redis) })
  if (replica !== null) {
    may('failover', 'a failover to the replica', after => failOver(after, 'lost'))
    may('handover', 'a failover that breaks no connection', after => failOver(after, 'armed'))
  }
  may('tick', 'time passes', after => { after.now++ })
  return [...steps, ...words(scene, world), ...processes(scene, world)]
}

function evict (world: World, act: (world: World) => void): void {
  const before = structuredClone(world.redis)
  act(world)
  tell(world, before)
}

/** What was said and has not arrived is lost with the server; as a rule its connections are too. */
function failOver (world: World, word: 'lost' | 'armed'): void {
  Object.assign(world, { redis: world.replica!, replica: null, era: world.era + 1 })
  for (const { near } of world.processes) if (near !== undefined) Object.assign(near, { told: [], word: near.word === 'armed' ? word : near.word })
}

function processes (scene: Scene, { processes, commits, calls, luck }: World): Step<World>[] {
  const polls = scene.without !== 'what Redis did not acknowledge is pending and waited for'
  const midWay = (index: number, at: number) => scene.calls[index]!.process === at && !['idle', 'over'].includes(calls[index]!.step)
  return processes.flatMap(({ trusts, polled }, at) => {
    const steps: Step<World>[] = []
    if (polls && trusts && polled < commits) steps.push({ label: `process ${at} has not polled lately`, act: after => { Object.assign(after.processes[at]!, { trusts: false, bypass: [] }) } })
    if (luck.crash > 0 && calls.some((_, index) => midWay(index, at))) steps.push({ label: `process ${at} crashes`, act: after => crash(after, at, index => midWay(index, at)) })
    return steps
  })
}

function crash (world: World, at: number, midWay: (index: number) => boolean): void {
  world.luck.crash--
  for (const index of world.calls.keys()) if (midWay(index)) world.calls[index] = { step: 'over', outcome: 'crashed' }
  const { near } = world.processes[at]!
  world.processes[at] = { trusts: false, polled: 0, bypass: [], ...near && { near: newNear() } }
}
