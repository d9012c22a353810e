// libsql, but it refuses to be closed again, as node:sqlite does.
import Database from 'libsql'

export default class ClosedOnceDatabase extends Database {
  #closed = false

  close () {
    if (this.#closed) throw new TypeError('database is not open')
    this.#closed = true
    super.close()
  }
}
