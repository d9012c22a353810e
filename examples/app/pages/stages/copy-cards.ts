import { milliseconds } from '../figures.ts'
import type { Copy } from './sightings.ts'

const places: Record<Copy['from'], string> = {
  l1: 'its own memory (L1)',
  l2: 'the shared store (L2)',
  database: 'the database: there was no copy'
}

const fields = ['shows', 'from', 'age'] as const

/** A card for each place that has a copy of the entry; they stay, and what is in them changes. */
export class CopyCards {
  readonly #place: HTMLElement
  readonly #cards = new Map<string, HTMLElement>()

  constructor (place: HTMLElement) {
    this.#place = place
  }

  /** @param title - what the card is about, and which card it is */
  show (title: string, { content, from, ageMs }: Copy, wanted: string): void {
    const card = this.#cards.get(title) ?? this.#add(title)
    const write = (field: typeof fields[number], text: string) => { card.querySelector(`.${field}`)!.textContent = text }
    card.classList.toggle('current', content === wanted)
    write('shows', content === wanted ? `${content}, the newest` : `${content}, an old copy`)
    write('from', places[from])
    write('age', from === 'database' ? 'just made' : milliseconds(ageMs))
  }

  /** The entry was edited: what the cards show is from before, until each place is looked at again. */
  outdate (): void {
    for (const card of this.#cards.values()) {
      card.classList.remove('current')
      const shows = card.querySelector('.shows')!
      shows.textContent = shows.textContent!.replace(/,.*/, ', before the edit')
    }
  }

  remove (title: string): void {
    this.#cards.get(title)?.remove()
    this.#cards.delete(title)
  }

  clear (): void {
    for (const title of [...this.#cards.keys()]) this.remove(title)
  }

  #add (title: string): HTMLElement {
    const card = document.createElement('li')
    card.className = 'copy'
    const heading = document.createElement('h3')
    heading.textContent = title
    const list = document.createElement('dl')
    for (const field of fields) {
      const [row, term, value] = ['div', 'dt', 'dd'].map(tag => document.createElement(tag))
      term!.textContent = field
      value!.className = field
      row!.append(term!, value!)
      list.append(row!)
    }
    card.append(heading, list)
    this.#cards.set(title, card)
    this.#place.append(card)
    return card
  }
}
