import type { Session, SessionData } from '@respite/session'
import t from 'tap'
import { RequestSession } from '../src/http/request-session.ts'

declare module '@respite/session' {
  interface SessionData { typedCart: string[] }
}

t.test('declared fields are typed, others are unknown', async t => {
  const session: Session = new RequestSession(1_000)
  session.set('typedCart', ['tea'])
  const cart: string[] | undefined = session.get('typedCart')
  const other: unknown = session.get('other')
  // @ts-expect-error a declared field takes its type alone
  session.set('typedCart', 1)
  const declared: keyof SessionData = 'typedCart'
  t.same(cart, ['tea'])
  t.equal(other, undefined)
  t.same(session.names(), [declared])
})
