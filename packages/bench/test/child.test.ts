import t from 'tap'
import { startChild } from '../src/child.ts'

t.test('answers come back to their questions, in whatever order', async t => {
  const child = await startChild('test/fixtures/echo.mjs')
  t.teardown(() => child.stop())
  t.equal(child.ready.port, 1)
  t.same(await Promise.all([child.ask({ say: 'a' }), child.ask({ say: 'b' }), child.ask({ say: 'c' })]), ['a', 'b', 'c'])
})

t.test('what goes wrong in the child is thrown here, with the name of its module', async t => {
  const child = await startChild('test/fixtures/echo.mjs')
  t.teardown(() => child.stop())
  await t.rejects(child.ask({ fail: 'no such figure' }), /echo\.mjs: no such figure/)
})

t.test('a child that ends leaves no question open', async t => {
  const child = await startChild('test/fixtures/echo.mjs')
  await t.rejects(child.ask({ end: 4 }), /echo\.mjs ended with 4/)
  await child.stop()
})

t.test('a child that ends before it is ready is told at once', async t => {
  await t.rejects(startChild('test/fixtures/stillborn.mjs'), /stillborn\.mjs ended with 3/)
})
