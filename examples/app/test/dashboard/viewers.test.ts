import { once } from 'node:events'
import t from 'tap'
import { Viewers } from '../../src/dashboard/viewers.ts'

const first = { event: 'history', data: { rows: [] }, id: 'run:4' }

t.test('writes events as browsers read them', async t => {
  const viewers = new Viewers()
  const stream = viewers.add(first, Infinity).setEncoding('utf8')
  viewers.tell({ event: 'answers', data: 'two\nlines' }, 0)
  viewers.close()
  const text = (await stream.toArray()).join('')
  t.equal(text, 'retry: 2000\nid: run:4\nevent: history\ndata: {"rows":[]}\n\nevent: answers\ndata: "two\\nlines"\n\n')
})

t.test('ends those whose time is over, and nobody else', async t => {
  const viewers = new Viewers()
  const short = viewers.add(first, 1_000).resume()
  viewers.add(first, 1_001).resume()
  viewers.tell(first, 1_000)
  await once(short, 'end')
  t.equal(viewers.size, 1)
})

t.test('drops whoever does not read, and keeps no more than a megabyte for them', async t => {
  const viewers = new Viewers()
  const slow = viewers.add(first, Infinity)
  const gone = once(slow, 'close')
  let told = 0
  while (!slow.destroyed) {
    viewers.tell({ event: 'second', data: 'x'.repeat(10_000) }, 0)
    told++
  }
  await gone
  t.ok(told > 90 && told < 110, `after ${told} events of 10 KB`)
  t.equal(viewers.size, 0)
})

t.test('has room for twenty, and for another when one goes; closed for nobody', async t => {
  const viewers = new Viewers()
  const all = Array.from({ length: 20 }, () => viewers.add(first, Infinity))
  t.notOk(viewers.isOpen)
  all[0]!.destroy()
  await once(all[0]!, 'close')
  t.ok(viewers.isOpen)
  viewers.close()
  t.notOk(viewers.isOpen)
})
