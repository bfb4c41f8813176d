import { type Html, html } from './html.ts'

/** A person, as pages name them. */
export interface Person {
  readonly username: string
  /** The name for people to read; empty when there is none. */
  readonly name: string
  /** A picture on this site. Default: the first letter of the username. */
  readonly avatarUrl?: string
}

/** The person's picture, or the first letter of their username. Says nothing to a screen reader: the name stands beside it. */
export function portrait({ username, avatarUrl }: Person): Html {
  if (avatarUrl !== undefined) {
    return html`<img class="portrait" src="${avatarUrl}" width="40" height="40" alt="">`
  }
  const letter = [...username].find((character) => /[\p{L}\p{N}]/u.test(character)) ?? '?'
  return html`<span class="portrait portrait--letter" aria-hidden="true">${letter.toUpperCase()}</span>`
}
