import '@respite/testing/clock-of-its-own'
import { gate } from '@respite/testing'
import { assemble } from '../assemble.ts'
import type { Answer, Question } from './other-process.ts'

const { where, options } = JSON.parse(process.env.CACHE_PROCESS!)
const app = await assemble(where, options)
const { cache } = app
const gates = new Map<number, ReturnType<typeof gate>>()

function say (answer: Answer): void {
  process.send!(answer)
}

/** Says that it runs, and gives its value once it is told to. */
function factoryOf (id: number, value: unknown) {
  const hold = gate()
  gates.set(id, hold)
  return async () => {
    say({ began: id })
    await hold.pass()
    return value
  }
}

async function answered ({ id, call, args = [] }: Extract<Question, { call: string }>): Promise<unknown> {
  if (call === 'load') {
    const [key, value, options] = args as [string, unknown, object]
    return cache.getOrSet(key, factoryOf(id, value), options)
  }
  if (call === 'now') return Date.now()
  return (cache as unknown as Record<string, (...args: unknown[]) => unknown>)[call]!(...args)
}

process.on('message', (question: Question) => {
  if ('go' in question) {
    gates.get(question.go)?.open()
    gates.delete(question.go)
    return
  }
  answered(question).then(answer => say({ id: question.id, answer }), (error: Error) => say({ id: question.id, error: error.message }))
})
process.on('disconnect', () => { app.close() })
await app.ready()
say({ ready: true })
