// Calls a hook as Fastify calls it, with a request that has nothing but a subject.
const socket = { remoteAddress: '192.0.2.1', destroyed: false }
const routeOptions = { config: {} }
const raw = { destroyed: false, once: () => raw, off: () => raw }

/** Whether the hook lets a request of this subject pass. */
export const askHook = (app, hook, subject) => new Promise((resolve, reject) => {
  const request = { method: 'GET', headers: {}, raw: { socket, headers: {} }, socket, routeOptions, subject, log: app.log }
  const reply = {
    raw,
    hasHeader: () => false,
    header: () => reply,
    code: () => reply,
    type: () => reply,
    send: () => { resolve(false) }
  }
  const asked = hook.call(app, request, reply, error => error === undefined ? resolve(true) : reject(error))
  // An async hook refuses by an error that has a status.
  asked?.then(() => resolve(true), error => error.statusCode === 429 ? resolve(false) : reject(error))
})
