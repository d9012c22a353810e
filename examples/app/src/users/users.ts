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
    username ${database.name} NOT NULL UNIQUE,
    password_hash ${database.text} NOT NULL
  )`])
  const find = async (username: string) => {
    const [user] = await database.query<{ id: number, password_hash: string }>('SELECT id, password_hash FROM users WHERE username = $1', [username])
    return user && { id: user.id, passwordHash: user.password_hash }
  }
  return {
    async create (username, passwordHash) {
      // The question keeps a name that is taken from using up an id, the table decides between two at once.
      if (await find(username) !== undefined) return undefined
      return await database.insert('INSERT INTO users (username, password_hash) VALUES ($1, $2)', [username, passwordHash])
    },
    find
  }
}
