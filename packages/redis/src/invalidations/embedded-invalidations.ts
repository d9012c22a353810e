import type { Invalidations } from './invalidations.ts'
import { GuardedInvalidations } from './guarded-invalidations.ts'

class EmbeddedInvalidations extends GuardedInvalidations {
  readonly means = 'embedded'

  constructor () {
    super()
    this.confirm()
  }
}

/** Without a server there is nobody else who writes: armed for ever, and only the process's own changes are told. */
export function createEmbeddedInvalidations (): Invalidations {
  return new EmbeddedInvalidations()
}
