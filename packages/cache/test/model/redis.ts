import { type Entry, type Reply, type Scene, type Tick, type World, keysOf, missing } from './world.ts'

/** The scripts of `lua/`, each one atomic step: what they do to the world, and what they answer. */

export function acquire (world: World, key: number, { token, except }: { token: string, except: string }): Reply {
  const entry = world.values[key]!
  if (entry !== null && entry.id !== except) return { state: 'HIT', lease: '', holder: '', entry }
  const lease = world.leases[key]!
  if (lease !== missing && lease !== token) return { state: 'MISS', lease: 'WAIT', holder: lease, entry: null }
  world.leases[key] = token
  return { state: 'MISS', lease: 'LEASED', holder: '', entry: null }
}

export function fill (scene: Scene, world: World, key: number, entry: Entry): boolean {
  const lease = world.leases[key]!
  const stands = scene.without === 'fill asks for a lease' || (scene.without === 'fill asks for its own lease' ? lease !== missing : lease === entry.id)
  if (!stands) return false
  world.values[key] = entry
  world.leases[key] = missing
  pushKey(world, key)
  return true
}

export function open (world: World, key: number, token: string): void {
  world.leases[key] = token
}

/** The fill of a write: refused, it drops. */
export function fillOver (scene: Scene, world: World, key: number, entry: Entry): void {
  if (scene.without === 'a write fills under its lease') world.leases[key] = entry.id
  if (fill(scene, world, key, entry) || scene.without === 'a refused write drops') return
  drop(scene, world, key)
}

export function done (world: World, key: number, token: string): void {
  if (world.leases[key] === token) world.leases[key] = missing
}

export function drop (scene: Scene, world: World, key: number): void {
  const had = world.values[key] !== null
  world.values[key] = null
  if (scene.without !== 'drop ends the lease') world.leases[key] = missing
  if (had) pushKey(world, key)
}

export function readClock (scene: Scene, world: World): Tick {
  world.clock ??= { g: scene.without === 'the clock has a generation' ? 'A' : `B${world.clocksLost}`, s: 0 }
  return { ...world.clock }
}

export function tick (scene: Scene, world: World): Tick {
  readClock(scene, world)
  world.clock!.s++
  return { ...world.clock! }
}

export function readTag (world: World, tag: number): string {
  return world.tags[tag]?.nonce ?? missing
}

export function mint (scene: Scene, world: World, tag: number, nonce: string): string {
  if (world.tags[tag] === null) {
    world.tags[tag] = { nonce: scene.without === 'versions are nonces' ? '0' : nonce, g: '!', s: 0 }
    pushTag(scene, world, tag)
  }
  return world.tags[tag]!.nonce
}

export function bump (scene: Scene, world: World, tag: number, { nonce, g, s }: Tick & { nonce: string }): void {
  const was = world.tags[tag]!
  const sameClock = was?.g === g
  const version = scene.without === 'versions are nonces' ? String(Number(was?.nonce ?? 0) + 1) : nonce
  if (scene.without === 'bump keeps the later tick') world.tags[tag] = { nonce: version, g, s }
  else if (sameClock) world.tags[tag] = { nonce: version, g, s: Math.max(was.s, s) }
  else world.tags[tag] = { nonce: version, g: '!', s: 0 }
  pushTag(scene, world, tag)
}

export function vouch (world: World, tag: number, { nonce, g, s }: Tick & { nonce: string }): void {
  const record = world.tags[tag]!
  if (record?.nonce === nonce) Object.assign(record, { g, s })
}

/** Pushes carry what they cover: from their delivery on it is promised. */
export function pushKey (world: World, key: number): void {
  for (const { tracked, pushes } of world.processes) if (tracked) pushes[0]!.push([key, world.executed[key]!])
}

export function pushTag (scene: Scene, world: World, tag: number): void {
  const covered = Math.max(0, ...keysOf(scene, tag).map(key => world.executed[key]!))
  for (const { tracked, pushes } of world.processes) if (tracked) pushes[1]!.push([tag, covered])
}
