import t from 'tap'
import { openPasswords } from '../../src/users/passwords.ts'

t.test('passwords', async t => {
  const passwords = await openPasswords()

  t.test('are hashed by Argon2id with 19 MiB, two passes and one lane', async t => {
    t.match(await passwords.hash('correct horse'), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  })

  t.test('have a salt each', async t => {
    t.not(await passwords.hash('correct horse'), await passwords.hash('correct horse'))
  })

  t.test('match their own hash alone', async t => {
    const hash = await passwords.hash('correct horse')
    t.equal(await passwords.matches('correct horse', hash), true)
    t.equal(await passwords.matches('correct horsE', hash), false)
  })

  t.test('never match where there is no hash', async t => {
    t.equal(await passwords.matches('correct horse', undefined), false)
    t.equal(await passwords.matches('', undefined), false, 'not even what the stand-in was made of')
  })

  t.test('take the same work where there is no hash', async t => {
    const hash = await passwords.hash('correct horse')
    const times: [number[], number[]] = [[], []]
    for (let i = 0; i < 5; i++) {
      for (const [kind, stored] of [hash, undefined].entries()) {
        const from = performance.now()
        await passwords.matches('wrong', stored)
        times[kind]!.push(performance.now() - from)
      }
    }
    const [known, unknown] = times.map(all => Math.min(...all)) as [number, number]
    // Without the work it would take a thousandth.
    t.ok(unknown > known / 30, `${unknown.toFixed(1)} ms beside ${known.toFixed(1)} ms`)
  })
})
