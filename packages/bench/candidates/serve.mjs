import process from 'node:process'

/**
 * Serves a candidate's app on a free port of loopback and answers what the bench asks over IPC. The process ends with its parent.
 * @param app - a Fastify instance
 * @param asked - what this candidate can tell of itself, by name
 */
export async function serve (app, asked = {}) {
  await app.listen({ port: 0, host: '127.0.0.1' })
  const questions = { cpuMicros: () => { const { user, system } = process.cpuUsage(); return user + system }, ...asked }
  process.on('message', async ({ id, question }) => {
    try {
      process.send({ id, answer: await questions[question]() })
    } catch (error) {
      process.send({ id, error: String(error?.stack ?? error) })
    }
  })
  const close = async () => {
    await app.close()
    process.exit(0) // a profiler writes its file on the way out
  }
  process.once('disconnect', close)
  process.once('SIGTERM', close)
  process.send({ ready: true, port: app.server.address().port })
}
