import type { Step } from '@respite/testing'
import { mint, readClock, vouch } from './redis.ts'
import { Turn } from './reading.ts'
import { type Scene, type World, fresh } from './world.ts'

/** A tag that the factory has added: whether it was bumped since the clock was read, before the factory, is settled before the fill. */
export function settling (scene: Scene, step: string, index: number): Step<World>[] {
  const by = (label: string, act: (turn: Turn) => void): Step<World>[] => [{ label: `call ${index}: ${label}`, act: world => act(new Turn(scene, world, index)) }]
  switch (step) {
    case 'settle': return by('reads the tag its factory has added', settle)
    case 'place': return by('mints it, unvouched', place)
    case 'recheck': return by('reads the clock again', recheck)
    case 'vouch': return by('vouches for it', vouchFor)
    default: throw new TypeError(`no step '${step}'`)
  }
}

function settle ({ scene, world, call, read, tags }: Turn): void {
  const record = world.tags[tags[0]!]!
  if (scene.without === 'the clock judges tags of the factory' && record !== null) {
    read.nonces = [record.nonce]
    call.step = 'fill'
  } else if (record?.g === read.clock!.g) {
    read.nonces = [record.nonce]
    call.step = record.s <= read.clock!.s ? 'fill' : 'refuse'
  } else {
    read.candidate = record?.nonce ?? ''
    call.step = record === null ? 'place' : 'recheck'
  }
}

function place ({ scene, world, call, read, tags, index }: Turn): void {
  if (world.tags[tags[0]!] !== null) {
    call.step = 'settle'
    return
  }
  read.candidate = mint(scene, world, tags[0]!, fresh(call, index))
  call.step = 'recheck'
  if (scene.without !== 'a minted tag asks the clock again') return
  read.nonces = [read.candidate]
  call.step = 'fill'
}

function recheck ({ scene, world, call, read }: Turn): void {
  read.second = readClock(scene, world)
  call.step = 'vouch'
}

function vouchFor ({ world, call, read, tags }: Turn): void {
  const { candidate: nonce, second, clock } = read
  vouch(world, tags[0]!, { nonce, ...second! })
  read.nonces = [nonce]
  call.step = second!.g === clock!.g && second!.s === clock!.s ? 'fill' : 'refuse'
}
