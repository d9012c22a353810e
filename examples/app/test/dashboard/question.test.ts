import { gate } from '@respite/testing'
import t from 'tap'
import { Question } from '../../src/dashboard/question.ts'

t.test('answers what it was told', async t => {
  t.equal(await new Question(async () => 7, 10_000).answer(), 7)
})

t.test('does not know where the answer failed', async t => {
  t.equal(await new Question(async () => { throw new TypeError('away') }, 10_000).answer(), null)
  t.equal(await new Question(() => { throw new TypeError('at once') }, 10_000).answer(), null)
})

t.test('does not wait for ever, nor ask again while the last one is under way', async t => {
  const step = gate()
  let asked = 0
  const question = new Question(async () => {
    asked++
    await step.pass()
    return asked
  }, 20)
  t.equal(await question.answer(), null, 'too late')
  t.equal(await question.answer(), null, 'still being asked')
  t.equal(asked, 1)
  step.open()
  t.equal(await new Promise(resolve => setImmediate(() => resolve(question.answer()))), 2, 'and then anew')
})
