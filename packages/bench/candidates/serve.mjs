import process from 'node:process'
import { answering } from './answering.mjs'

/**
 * Serves a candidate's app on a free port of loopback and answers what the bench asks over IPC. The process ends with its parent.
 * @param app - a Fastify instance
 * @param asked - what this candidate can tell of itself, by name
 */
export async function serve (app, asked = {}) {
  await app.listen({ port: 0, host: '127.0.0.1' })
  const questions = { cpuMicros: () => { const { user, system } = process.cpuUsage(); return user + system }, ...asked }
  answering(questions, () => app.close(), { port: app.server.address().port })
}
