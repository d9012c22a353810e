import { createHmac } from 'node:crypto'

const characters = 8

/** Short names under which addresses and users are shown: the same for the same, and no way back without the key. */
export class Pseudonyms {
  readonly #key: Buffer

  /** @param secret - the app's own; what is shown stays the same as long as it does */
  constructor (secret: string) {
    // A key for this alone: no other use of the secret says anything about these names.
    this.#key = createHmac('sha256', secret).update('names on the dashboard').digest()
  }

  of (who: string): string {
    return createHmac('sha256', this.#key).update(who).digest('hex').slice(0, characters)
  }
}
