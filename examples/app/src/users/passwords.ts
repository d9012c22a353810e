import { hash, verify } from '@node-rs/argon2'

// Argon2id (the library's default) with 19 MiB, two passes and one lane.
// @see OWASP Password Storage Cheat Sheet, "Argon2id"
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Hashes passwords and checks them, off the event loop. */
export interface Passwords {
  hash (password: string): Promise<string>
  /** False also where there is no hash, after the same work: a name that nobody has cannot be told by the time. */
  matches (password: string, passwordHash: string | undefined): Promise<boolean>
}

/** Passwords as hashed by Argon2id with a salt each. */
export async function openPasswords (): Promise<Passwords> {
  const nobody = await hash('', cost)
  return {
    hash: password => hash(password, cost),
    async matches (password, passwordHash) {
      const same = await verify(passwordHash ?? nobody, password)
      return same && passwordHash !== undefined
    }
  }
}
