import process from 'node:process'

/**
 * Answers what the bench asks over IPC, until the bench goes away.
 * @param questions - by name: a function of what was given with the question
 * @param close - ends what the process holds
 * @param told - what the bench is told once it may ask
 */
export function answering (questions, close, told = {}) {
  process.on('message', async ({ id, question, ...given }) => {
    try {
      process.send({ id, answer: await questions[question](given) })
    } catch (error) {
      process.send({ id, error: String(error?.stack ?? error) })
    }
  })
  const end = async () => {
    await close()
    process.exit(0) // a profiler writes its file on the way out
  }
  process.once('disconnect', end)
  process.once('SIGTERM', end)
  process.send({ ready: true, ...told })
}
