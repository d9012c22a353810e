import t from 'tap'
import { messageOf, refusalText, retryAfterSeconds } from '../../../pages/stages/answer.ts'

const answer = (status: number, body: unknown, headers: Record<string, string> = {}) => ({ status, body, headers: new Headers(headers), atMs: 0 })

t.test('says a refusal in the words of the server, with its wait', async t => {
  t.equal(refusalText(answer(429, { error: 'Rate limit exceeded!' }, { 'retry-after': '4' })), 'Refused with 429: Rate limit exceeded! Try again in 4 s.')
  t.equal(refusalText(answer(429, { error: 'Too Many Requests', message: "Rate limit 'login' of 5 per 60 s exceeded, retry in 42 s" }, { 'retry-after': '42' })),
    "Refused with 429: Rate limit 'login' of 5 per 60 s exceeded, retry in 42 s.")
  t.equal(refusalText(answer(404, { error: 'No such entry!' })), 'Refused with 404: No such entry!')
})

t.test('says so where the server says nothing, or is not there', async t => {
  t.equal(refusalText(answer(502, undefined)), 'Refused with 502: the server says no more.')
  t.equal(refusalText(answer(500, { message: 7 })), 'Refused with 500: the server says no more.')
  t.equal(refusalText(answer(0, undefined)), 'The server cannot be reached.')
  t.equal(messageOf(answer(500, null)), '')
})

t.test('reads a wait in seconds, and no other', async t => {
  t.equal(retryAfterSeconds(answer(429, {}, { 'retry-after': '0' })), 0)
  t.equal(retryAfterSeconds(answer(429, {}, { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' })), undefined)
  t.equal(retryAfterSeconds(answer(429, {})), undefined)
})
