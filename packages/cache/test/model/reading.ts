import type { Step } from '@respite/testing'
import { acquire, done, fill, mint, readClock, readTag } from './redis.ts'
import { settling } from './settling.ts'
import { type Call, type Entry, type Process, type Reading, type Scene, type World, fresh, missing, over, unasked } from './world.ts'

/** A call that reads: what it may do next. Between two steps its process may stand still for as long as it likes. */
export function reading (scene: Scene, world: World, index: number, key: number): Step<World>[] {
  const call = world.calls[index]!
  const by = (label: string, act: (turn: Turn) => void): Step<World> => ({ label: `call ${index}: ${label}`, act: after => act(new Turn(scene, after, index)) })
  switch (call.step) {
    case 'idle': return [by(`begins to read k${key}`, turn => turn.begin(key))]
    case 'ask': return asking(call.read!, by)
    case 'judge': return [by('processes the reply', turn => turn.judge())]
    case 'versions': return [by('reads the tags of the record', turn => turn.completeVersions())]
    case 'mint': return [by('mints what is missing', turn => turn.mint())]
    case 'load': return [by('loads from the database', turn => turn.load())]
    case 'fill': return [by('fills', turn => turn.fill())]
    case 'filled': return [by('processes the reply of its fill', turn => turn.filled())]
    case 'refuse': return [by('ends its lease and stores nothing', turn => turn.refuse())]
    case 'join': return []
    default: return settling(scene, call.step, index)
  }
}

function asking ({ reply, nonces, clock }: Reading, by: (label: string, act: (turn: Turn) => void) => Step<World>): Step<World>[] {
  const steps = nonces.flatMap((nonce, at) => nonce === unasked ? [by(`reads tag ${at} of its key`, turn => turn.askTag(at))] : [])
  if (reply === null) steps.push(by('acquire', turn => turn.askKey()))
  if (clock !== null && clock.g === unasked) steps.push(by('reads the clock', turn => turn.askClock()))
  return steps
}

/** One call's turn in a world. */
export class Turn {
  readonly scene: Scene
  readonly world: World
  readonly index: number
  readonly call: Call
  readonly process: Process

  constructor (scene: Scene, world: World, index: number) {
    this.scene = scene
    this.world = world
    this.index = index
    this.call = world.calls[index]!
    this.process = world.processes[scene.calls[index]!.process]!
  }

  get read (): Reading {
    return this.call.read!
  }

  get tags (): readonly number[] {
    return this.scene.keys[this.read.key]!
  }

  begin (key: number): void {
    const { call, process, world, scene } = this
    const tags = scene.keys[key]!
    call.read = {
      key,
      token: fresh(call, this.index),
      floor: world.resolved[key]!,
      localFloor: process.floors[key]!,
      except: '',
      mark: -1,
      spoiled: false,
      spoiledTags: tags.map(() => false),
      reply: null,
      nonces: [],
      clock: null,
      loaded: 0,
      candidate: missing,
      second: null
    }
    const kept = process.copies[key]!
    if (process.armed && kept !== null && tags.every((tag, at) => process.nonces[tag] === kept.nonces[at])) {
      this.answer(kept.version, 'a copy')
      over(world, this.index)
    } else if (scene.without === 'joining asks Redis first' && process.flights[key] !== null) {
      call.step = 'join'
      this.read.reply = { state: 'MISS', lease: 'WAIT', holder: process.flights[key]!.token, entry: null }
    } else this.ask('')
  }

  /** A question has a mark of its own, from before it is sent. */
  ask (except: string): void {
    const { process, scene, call } = this
    const { inFactory = false } = scene
    call.step = 'ask'
    Object.assign(this.read, {
      except,
      reply: null,
      mark: process.armed ? process.generation : -1,
      spoiled: false,
      spoiledTags: this.tags.map(() => false),
      nonces: inFactory ? [] : this.tags.map(() => unasked),
      clock: inFactory ? { g: unasked, s: 0 } : null
    })
  }

  askKey (): void {
    this.read.reply = acquire(this.world, this.read.key, this.read)
    this.#arrived()
  }

  askTag (at: number): void {
    const { scene, process, world } = this
    const tag = this.tags[at]!
    const known = scene.without === 'answers of Redis are judged by tags of Redis' ? process.nonces[tag]! : missing
    this.read.nonces[at] = known === missing ? readTag(world, tag) : known
    this.#arrived()
  }

  askClock (): void {
    this.read.clock = readClock(this.scene, this.world)
    this.#arrived()
  }

  #arrived (): void {
    const { reply, nonces, clock } = this.read
    if (reply === null || nonces.includes(unasked) || clock?.g === unasked) return
    this.call.step = this.scene.inFactory === true && reply.entry !== null ? 'versions' : 'judge'
    // Nobody but this call sees when it processes a reply that leaves nothing in its process.
    if (this.call.step === 'judge' && this.scene.local !== true) this.judge()
  }

  completeVersions (): void {
    this.read.nonces = this.tags.map(tag => readTag(this.world, tag))
    this.call.step = 'judge'
    if (this.scene.local !== true) this.judge()
  }

  judge (): void {
    const { reply } = this.read
    if (reply!.state === 'HIT') this.#hit(reply!.entry!)
    else if (reply!.lease === 'WAIT') this.#wait(reply!.holder)
    else this.#lead()
  }

  #hit (entry: Entry): void {
    const { scene, read } = this
    const current = entry.nonces.every((nonce, at) => nonce === read.nonces[at] || (scene.without === 'a missing tag record is a mismatch' && read.nonces[at] === missing))
    if (!current) {
      this.ask(entry.id)
      return
    }
    this.answer(entry.version, 'Redis')
    this.#keep(entry)
    over(this.world, this.index)
  }

  #wait (holder: string): void {
    const { scene, read, process } = this
    const flight = process.flights[read.key]!
    const same = scene.inFactory === true || scene.without === 'joining compares nonces' || flight?.nonces.every((nonce, at) => nonce === read.nonces[at])
    if (scene.join === true && flight?.token === holder && same) this.call.step = 'join'
    else this.ask(read.except)
  }

  #lead (): void {
    const { read, process } = this
    // What the question was is of no use to its factory: forgotten, so that worlds that differ in nothing else are one.
    Object.assign(read, { reply: null, except: '', mark: -1 })
    if (this.scene.inFactory === true) read.nonces = []
    process.flights[read.key] = { token: read.token, nonces: read.nonces }
    this.call.step = read.nonces.includes(missing) ? 'mint' : 'load'
  }

  mint (): void {
    const { read, scene, world, call } = this
    const at = read.nonces.indexOf(missing)
    read.nonces[at] = mint(scene, world, this.tags[at]!, fresh(call, this.index))
    if (!read.nonces.includes(missing)) call.step = 'load'
  }

  load (): void {
    this.read.loaded = this.world.rows[this.read.key]!
    this.call.step = this.scene.inFactory === true && this.tags.length > 0 ? 'settle' : 'fill'
  }

  fill (): void {
    const { scene, read, world } = this
    if (scene.without === 'a record carries the nonces of before its factory') read.nonces = this.tags.map(tag => readTag(world, tag))
    const entry = { id: read.token, version: read.loaded, nonces: read.nonces }
    fill(scene, world, read.key, entry)
    this.call.step = 'filled'
    if (scene.local !== true) this.filled()
  }

  /** The value is answered, stored or not. A copy of it is kept by the next read: its own push may have come and gone. */
  filled (): void {
    const { scene, read, process } = this
    if (scene.without === 'an own fill is no copy' && process.armed) process.copies[read.key] = { id: read.token, version: read.loaded, nonces: read.nonces }
    this.#end(scene.inFactory === true)
  }

  refuse (): void {
    done(this.world, this.read.key, this.read.token)
    this.#end(true)
  }

  /** @param again - whether those who joined ask again, since the value's tags were not theirs to judge */
  #end (again: boolean): void {
    const { scene, world, read, process } = this
    this.answer(read.loaded, 'its factory')
    if (process.flights[read.key]?.token === read.token) process.flights[read.key] = null
    for (const [index, { step, read: other }] of world.calls.entries()) {
      if (step !== 'join' || scene.calls[index]!.process !== scene.calls[this.index]!.process || other!.reply!.holder !== read.token) continue
      const joiner = new Turn(scene, world, index)
      if (again && scene.without !== 'a joiner asks again where the factory added tags') joiner.ask('')
      else {
        joiner.answer(read.loaded, 'the factory it joined')
        over(world, index)
      }
    }
    over(world, this.index)
  }

  /** The promises: (A) of what comes through Redis, (B) of copies. */
  answer (version: number, how: string): void {
    const { floor, localFloor, key } = this.read
    const [promise, least] = how === 'a copy' ? ['(B)', localFloor] as const : ['(A)', floor] as const
    if (version < least) this.world.broken ||= `${promise} call ${this.index} answers v${version} of k${key} from ${how}, v${least} had been invalidated`
  }

  #keep (entry: Entry): void {
    const { scene, read, process } = this
    if (scene.local !== true || !process.armed) return
    const unmarked = scene.without === 'copies are kept under a mark'
    if (!unmarked && read.mark !== process.generation) return
    if (unmarked || !read.spoiled) process.copies[read.key] = entry
    for (const [at, tag] of this.tags.entries()) if (unmarked || !read.spoiledTags[at]) process.nonces[tag] = read.nonces[at]!
  }
}
