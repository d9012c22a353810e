import type { FastifyInstance } from 'fastify'
import type { Answers, UniqueCallers } from './frame.ts'
import type { Pseudonyms } from './pseudonyms.ts'
import { Question } from './question.ts'

const deadlineMs = 2_000
const metric = 'ping'
const mostCallers = 10

/** What must be asked of Redis and the database: each on its own, so that one which is away hides no other. */
export function questionsOf (app: FastifyInstance, pseudonyms: Pseudonyms): () => Promise<Answers> {
  const unique = (by: 'hour' | 'day', since: '23h' | '6d') => new Question(async (): Promise<UniqueCallers[]> => {
    const series = await app.tracking.unique(metric).series({ by, since })
    return series.map(({ start, value, low, high, exact }) => ({ start, value, low, high, exact }))
  }, deadlineMs)
  const sessions = new Question(() => app.sessions.active(), deadlineMs)
  const hours = unique('hour', '23h')
  const days = unique('day', '6d')
  const callers = new Question(() => app.tracking.top(metric, { k: mostCallers }), deadlineMs)
  const health = new Question(() => app.respite.health.report(), deadlineMs)

  return async () => {
    const [activeSessions, uniqueByHour, uniqueByDay, top, report] = await Promise.all([sessions.answer(), hours.answer(), days.answer(), callers.answer(), health.answer()])
    return {
      activeSessions: activeSessions ?? null,
      uniqueByHour,
      uniqueByDay,
      topCallers: top && top.map(({ id, count }) => ({ who: pseudonyms.of(id), calls: count })),
      health: report && {
        status: report.status,
        redisLatencyMs: report.redis.latencyMs,
        redisSince: report.redis.since,
        redisServer: report.redis.server,
        parts: Object.entries(report.parts).map(([name, { status }]) => ({ name, status }))
      }
    }
  }
}
