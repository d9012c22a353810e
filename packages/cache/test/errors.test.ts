import t from 'tap'
import * as door from '@respite/cache'
import * as errors from '../src/errors.ts'

t.test('every error that the cache throws can be imported, to be told apart by its class', async t => {
  const codes = Object.keys(errors).filter(name => name.startsWith('FST_'))
  t.ok(codes.length > 0)
  t.same(codes.filter(code => !(code in door)), [])
})
