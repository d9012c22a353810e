/** A session's data: four fields, 4 KB of JSON together. */
export const data = {
  cart: Array.from({ length: 20 }, (_, i) => ({ id: 1_000 + i, name: `An article of the shop, number ${i}`, price: 12.5 + i, count: 1 })),
  address: { name: 'Ada Lovelace', street: '12 St James\'s Square', city: 'London', zip: 'SW1Y 4JH', country: 'GB' },
  settings: { theme: 'dark', language: 'en-GB', currency: 'GBP', newsletter: false },
  history: ''
}
data.history = 'x'.repeat(4_096 - JSON.stringify(data).length)

export const route = '/work'
/** What a request answers with, of its session. */
export const seen = (userId, settings, cart) => ({ userId, theme: settings.theme, articles: cart.length })
