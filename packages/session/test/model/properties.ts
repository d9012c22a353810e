import { type Scene, type World, isAlive } from './world.ts'

/** What is wrong with a world that no accept shows; '' if nothing is. */
export function verdict (scene: Scene, world: World): string {
  const { rows, now, redis } = world
  // It would be refused for as long as Redis remembers. Where Redis is told first that is so by design: what matters there is what comes after.
  const told = scene.without === 'the durable store goes first' ? [] : Object.entries(rows)
  for (const [hash, row] of told) if (isAlive(row, now) && redis.copies[hash]?.x) return `S6: ${hash} lives, and is dead in Redis`
  const families = Object.values(rows).filter(row => row.next === '' && isAlive(row, now)).map(({ sid }) => sid)
  if (new Set(families).size !== families.length) return 'S7: a session has two successors'
  if (now > 0 || world.calls.some(({ step }) => step !== 'over')) return ''
  return oneLogin(scene, world) || nothingLost(scene, world)
}

function oneLogin ({ calls, max = 1, rows = ['A'] }: Scene, world: World): string {
  const logins = calls.flatMap(({ op }, index) => op === 'login' ? [world.calls[index]!.outcome] : [])
  if (logins.length === 0 || logins.some(outcome => outcome !== 'ok') || calls.some(({ op }) => op === 'logout')) return ''
  const live = Object.values(world.rows).filter(row => row.next === '' && isAlive(row, world.now)).length
  return live === Math.min(max, logins.length + rows.length) ? '' : `S1: ${live} sessions live`
}

function nothingLost ({ calls, fields = [] }: Scene, world: World): string {
  const saves = calls.flatMap(({ op }, index) => op === 'save' ? [world.calls[index]!.outcome] : [])
  const first = world.rows.A
  if (saves.length === 0 || saves.some(outcome => outcome !== 'ok') || first === undefined || first.dead) return ''
  const hash = first.next === '' ? 'A' : first.next
  const { data, pend } = world.rows[hash]!
  for (const field of fields) if (!(field in data)) return `S3: field ${field} is lost`
  const { gate, copies: { [hash]: copy } } = world.redis
  const believed = copy !== undefined && !copy.x && copy.n === gate?.n && gate.e === String(world.era) && (copy.until ?? 0) > world.now
  if (world.late.length > 0 || pend > 0 || !believed) return ''
  const text = (fields: Record<string, string>) => JSON.stringify(Object.entries(fields).sort(([a], [b]) => a < b ? -1 : 1))
  return text(copy.f) === text(data) ? '' : `S3: Redis has ${text(copy.f)} for good, and the row ${text(data)}`
}
