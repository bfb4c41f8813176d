import { csrfField } from './csrf-field.ts'
import { type Html, html } from './html.ts'
import { type Person, portrait } from './person.ts'

export interface SignedInAsModel {
  readonly user: Person
  readonly csrfToken: string
  /** Where «Use another account» posts to. Default: it is not offered. */
  readonly switchUserAction?: string
}

/** Whose account a decision is about, and the way to another. */
export function signedInAs({ user, switchUserAction, csrfToken }: SignedInAsModel): Html {
  return html`<div class="authorize-api-key__user">
${portrait(user)}
<p><span class="quiet">Signed in as</span> ${personNames(user)}</p>
${
  switchUserAction === undefined
    ? null
    : html`<form method="post" action="${switchUserAction}">${csrfField(csrfToken)}<button class="link" type="submit">Use another account</button></form>`
}
</div>`
}

/** A person's username, and their name where it says more. */
export function personNames({ username, name }: Person): Html {
  return html`<bdi class="authorize-api-key__username">${username}</bdi>${
    name === '' || name === username ? null : html` <bdi class="authorize-api-key__name">${name}</bdi>`
  }`
}
