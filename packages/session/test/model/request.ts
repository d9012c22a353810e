import type { Step } from '@respite/testing'
import { acceptNear, answered, isNear, mark } from './near.ts'
import { type Turn, local, script, statement } from './turn.ts'
import { type World, isAlive, unknownHash } from './world.ts'

/** A request with a token: Redis if that is believed, else the durable store, then the fill. */
export function request (turn: Turn): Step<World>[] {
  const { call, plan, world } = turn
  const hash = plan.hash!
  switch (call.step) {
    case 'idle':
      // Before a token exists nobody can show it.
      return world.issued.includes(hash) || hash === unknownHash ? local(turn, 'arrives', arrive) : []
    case 'read': return script(turn, turn => ['read', hash, `n${turn.index}`, String(turn.world.era)], heed, turn => { turn.call.step = 'select' })
    case 'hit': return answered(turn)
    case 'select': return [...statement(turn, 'selects', select), ...joiners(turn)]
    case 'selected': return local(turn, 'gets its row', received)
    case 'fill': return script(turn, turn => ['fill', hash, turn.call.lease!, turn.content], turn => turn.over(), turn => turn.over())
    default: return script(turn, () => ['bury', hash], turn => turn.over(), turn => turn.over())
  }
}

function arrive (turn: Turn): void {
  const { scene, world, call, process, plan } = turn
  const hash = plan.hash!
  call.forbidden = world.ended[hash] ?? ((world.graceEnds[hash] ?? Infinity) <= world.now ? 'S7' : '')
  if (isNear(turn)) {
    acceptNear(turn)
    return
  }
  const believes = scene.without === 'what Redis did not acknowledge is pending and waited for' || (process.trusts && !process.bypass.includes(hash))
  call.step = believes ? 'read' : 'select'
  if (believes) mark(turn)
}

function heed (turn: Turn, reply: unknown): void {
  const [kind, n, g] = reply as string[]
  if (kind === 'HIT' && turn.process.near !== undefined) {
    // With local copies the answer's way matters: what the server says may overtake it.
    turn.call.row = { version: 0, data: {}, until: turn.world.redis.copies[turn.plan.hash!]!.until! }
    turn.call.step = 'hit'
  } else if (kind === 'HIT') {
    turn.accept()
    turn.over()
  } else if (kind === 'DEAD') {
    turn.over()
  } else {
    turn.call.lease = { n: n!, g: Number(g) }
    turn.call.step = 'select'
  }
}

function select (turn: Turn): void {
  const { scene, world, call, plan } = turn
  const row = world.rows[plan.hash!]
  if (!isAlive(row, world.now)) {
    if (call.lease === undefined) turn.over()
    else call.step = 'bury'
    return
  }
  call.row = { version: row.version, data: row.data, until: row.until }
  // Of a superseded row no copy is kept: the durable store answers its grace.
  if (row.next !== '' && scene.without !== 'a superseded copy goes') delete call.lease
  if (scene.without === 'only a read sent later is shared') call.step = 'selected'
  else received(turn)
}

function received (turn: Turn): void {
  turn.accept()
  if (turn.call.lease === undefined) turn.over()
  else turn.call.step = 'fill'
}

/** Without the guard: a request that takes the answer of a read which was sent before it arrived. */
function joiners (turn: Turn): Step<World>[] {
  const { scene, world, plan, index } = turn
  if (scene.without !== 'only a read sent later is shared') return []
  const sent = world.calls.some(({ step }, other) => {
    const { op, process, hash } = scene.calls[other]!
    return other !== index && op === 'request' && process === plan.process && hash === plan.hash && step === 'selected'
  })
  return sent ? local(turn, 'joins the read under way', turn => { turn.accept(); turn.over() }) : []
}
