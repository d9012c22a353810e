import t from 'tap'
import { parseCommandLine } from '../src/command-line.ts'
import type { Drill } from '../src/drill.ts'
import { runCommand } from '../src/run-command.ts'
import type { Scenario } from '../src/scenario.ts'

const scenario: Scenario = {
  name: 'fake',
  about: 'one fake',
  unit: 'opsPerSecond',
  targets: [],
  candidates: [{
    name: 'respite',
    start: async () => ({ measure: async () => ({ perSecond: 10, p99Ms: 1, redisCallsPerRequest: 0 }), stop: async () => undefined })
  }]
}
const drill = (name: string, operations: number, violations: string[]): Drill => ({
  name, about: `the drill ${name}`, run: async () => ({ operations, violations, figures: { p99Ms: 2 } })
})
const drills = [drill('sound', 10, []), drill('broken', 10, ['one was lost']), drill('empty', 0, [])]

async function run (...argv: string[]) {
  const lines: string[] = []
  const code = await runCommand(parseCommandLine(argv), { scenarios: [scenario], drills, print: text => { lines.push(...text.split('\n')) } })
  return { code, lines, last: lines.at(-1)! }
}

t.test('without a name there is a list of what can be run', async t => {
  const { code, lines } = await run()
  t.equal(code, 0)
  t.match(lines.join('\n'), /fake +one fake/)
  t.match((await run('--drill')).lines.join('\n'), /sound +the drill sound/)
})

t.test('a name that does not exist is told, with those that do', async t => {
  t.match(await run('fakes'), { code: 2, last: /no scenario is named 'fakes'; there are: fake/ })
})

t.test('with --json the last line is the result, without it the table', async t => {
  t.same(JSON.parse((await run('fake', '--quick', '--json')).last), {
    scenario: 'fake', results: { respite: { opsPerSecond: 10, p99Ms: 1, redisCallsPerRequest: 0 } }, ratios: {}
  })
  t.match((await run('fake')).last, /^respite +10 /)
})

t.test('a drill ends in its result, and fails the command when something was broken', async t => {
  const sound = await run('--drill', 'sound')
  t.same([sound.code, JSON.parse(sound.last)], [0, { drill: 'sound', ok: true, operations: 10, violations: [], figures: { p99Ms: 2 } }])
  const broken = await run('--drill', 'broken')
  t.same([broken.code, JSON.parse(broken.last)], [1, { drill: 'broken', ok: false, operations: 10, violations: ['one was lost'], figures: { p99Ms: 2 } }])
})

t.test('a drill that tried nothing has proven nothing', async t => {
  const empty = await run('--drill', 'empty')
  t.same([empty.code, JSON.parse(empty.last).ok, JSON.parse(empty.last).violations], [1, false, ['nothing was tried']])
})

t.test('all drills run even when one of them is broken', async t => {
  const { code, lines } = await run('--drill', 'all')
  t.equal(code, 1)
  t.same(lines.filter(line => line.startsWith('{')).map(line => JSON.parse(line).drill), ['sound', 'broken', 'empty'])
})
