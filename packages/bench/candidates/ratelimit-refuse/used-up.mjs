/** What the bench asks first: that the limit of so many subjects is used up, and known to be. */
export const usedUp = take => ({
  async fill ({ units }) {
    for (let i = 0; i < 2 * units; i++) await take(`subject-${i >> 1}`)
  }
})
