// libsql, but for a statement upon which the worker ends.
import Database from 'libsql'

export default class EndingDatabase extends Database {
  prepare (text) {
    if (text === 'END') process.exit(1)
    return super.prepare(text)
  }
}
