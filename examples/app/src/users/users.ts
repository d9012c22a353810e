import type { Database } from '../database/database.ts'

/** A user, as the database holds it. */
export interface User {
  id: number
  passwordHash: string
}

/** Who may log in. */
export interface Users {
  /** The new user's id, or undefined where the name is taken. */
  create (username: string, passwordHash: string): Promise<number | undefined>
  find (username: string): Promise<User | undefined>
}

/** Users in a table of the database. */
export async function openUsers (database: Database): Promise<Users> {
  await database.define([`CREATE TABLE IF NOT EXISTS users (
    id ${database.identity},
    username TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL
  )`])
  return {
    async create (username, passwordHash) {
      // The first condition keeps a name that is taken from using up an id, the second decides between two at once.
      const [created] = await database.query<{ id: number }>(`INSERT INTO users (username, password_hash)
        SELECT CAST($1 AS TEXT), CAST($2 AS TEXT) WHERE NOT EXISTS (SELECT 1 FROM users WHERE username = $1)
        ON CONFLICT (username) DO NOTHING RETURNING id`, [username, passwordHash])
      return created?.id
    },
    async find (username) {
      const [user] = await database.query<User>('SELECT id, password_hash AS "passwordHash" FROM users WHERE username = $1', [username])
      return user
    }
  }
}
