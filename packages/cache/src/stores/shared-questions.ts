/**
 * Questions of one moment, asked once. A question is sent after all who share it have asked, so for each of them the
 * answer is as new as one of its own.
 */
export class SharedQuestions {
  readonly #unsent = new Map<string, Promise<unknown>>()

  /** @param what - names the question; two of one name are the same */
  ask<T> (what: string, send: () => Promise<T>): Promise<T> {
    const unsent = this.#unsent.get(what)
    if (unsent !== undefined) return unsent as Promise<T>
    const answer = Promise.resolve().then(() => {
      // From here on it is under way: who comes later asks again.
      this.#unsent.delete(what)
      return send()
    })
    this.#unsent.set(what, answer)
    return answer
  }
}
