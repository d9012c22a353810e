import type { Asked } from './session-history-checker.ts'

/** A session got a new secret, with the answer to a request that showed the one numbered `from`. */
export interface Rotation { readonly sid: string, readonly from: number, readonly beganAt: number, readonly endedAt: number }

/** A request by cookie that was begun; perhaps nobody knows how it was answered, and so whether it brought a new secret. */
export interface Begun { readonly op: string, readonly sid: string, readonly calledAt: number }

/** What is known of secrets. */
export interface RotationHistory {
  readonly asked: readonly Asked[]
  readonly rotations: readonly Rotation[]
  readonly begun: readonly Begun[]
  /** How long a superseded secret answers. */
  readonly graceMs: number
  /** A request that took longer may have got a new secret that it was not told of. */
  readonly durableDeadlineMs: number
}

/** Clocks are read before and after, in whole milliseconds here and there. */
const slackMs = 10

/** A secret has one successor, and is of no use after its grace. */
export function brokenRotations ({ asked, rotations, graceMs }: RotationHistory): string[] {
  const first = firstOf(rotations)
  return [
    ...rotations.filter(rotation => first.get(nameOf(rotation.sid, rotation.from)) !== rotation).map(rotation => `(successor) a secret has two: ${JSON.stringify(rotation)}`),
    ...asked.flatMap(request => {
      const rotation = rotationOf(first, request)
      if (request.answer !== 'accepted' || rotation === undefined || request.beganAt <= rotation.endedAt + graceMs + slackMs) return []
      return [`(grace) accepted after its grace: ${JSON.stringify(request)}, superseded by ${JSON.stringify(rotation)}`]
    })
  ]
}

/** Tells of a request whether the grace of what it showed may have ended: then it may be refused. */
export function mayBeSuperseded ({ rotations, graceMs }: RotationHistory): (asked: Asked) => boolean {
  const first = firstOf(rotations)
  return asked => {
    const rotation = rotationOf(first, asked)
    return rotation !== undefined && asked.endedAt >= rotation.beganAt + graceMs
  }
}

/** From when on a session may have ended without a call: a superseded secret was used, or there is a new one that nobody has. */
export function doubtfulFrom (history: RotationHistory): ReadonlyMap<string, number> {
  const from = new Map<string, number>()
  const doubt = (sid: string, at: number) => { if (at < (from.get(sid) ?? Infinity)) from.set(sid, at) }
  const superseded = mayBeSuperseded(history)
  const known = new Set<string>()
  for (const asked of history.asked) {
    const { op, shown, beganAt, endedAt, answer } = asked
    if (op === undefined || typeof shown !== 'string') continue
    known.add(op)
    if (answer === 'failed' || endedAt - beganAt >= history.durableDeadlineMs || superseded(asked)) doubt(shown, beganAt)
  }
  for (const { op, sid, calledAt } of history.begun) if (!known.has(op)) doubt(sid, calledAt)
  return from
}

/** How many were accepted by a secret that had been superseded, within its grace. */
export function acceptedInGrace ({ asked, rotations }: RotationHistory): number {
  const first = firstOf(rotations)
  return asked.filter(request => request.answer === 'accepted' && request.beganAt > (rotationOf(first, request)?.endedAt ?? Infinity)).length
}

function firstOf (rotations: readonly Rotation[]): ReadonlyMap<string, Rotation> {
  const first = new Map<string, Rotation>()
  for (const rotation of rotations) {
    const name = nameOf(rotation.sid, rotation.from)
    if (rotation.endedAt < (first.get(name)?.endedAt ?? Infinity)) first.set(name, rotation)
  }
  return first
}

function rotationOf (first: ReadonlyMap<string, Rotation>, { shown, generation }: Asked): Rotation | undefined {
  return generation === undefined || typeof shown !== 'string' ? undefined : first.get(nameOf(shown, generation))
}

const nameOf = (sid: string, generation: number): string => `${sid} ${generation}`
