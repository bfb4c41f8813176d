/** The shop's two pages. */
import type { Customer, Invoice } from './shop.ts'

/** `returnTo` is where the customer goes on to. */
export function signInPage(returnTo: string, problem = ''): string {
  return page(
    'Sign in',
    `<p role="alert">${escaped(problem)}</p>
<form method="post" action="/sign-in">
<input type="hidden" name="return_to" value="${escaped(returnTo)}">
<p><label>Customer <input name="username" autocomplete="username" required></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>
<p><button>Sign in</button></p>
</form>`,
  )
}

export function homePage(customer: Customer | undefined, invoices: readonly Invoice[]): string {
  if (!customer) return page('Welcome', '<p><a href="/sign-in">Sign in</a> to see your invoices.</p>')
  return page(
    `Hello, ${escaped(customer.name)}`,
    `<ul>${invoices.map(({ id, item }) => `<li>No. ${id}: ${escaped(item)}</li>`).join('')}</ul>
<p><a href="/hallpass/apps">Apps that may use your account</a></p>
<form method="post" action="/sign-out"><button>Sign out</button></form>`,
  )
}

/** Where to after sign-in: what a link asked for, but on this site alone; others’ links must not lead people elsewhere. */
export function safeReturn(returnTo: unknown, baseUrl: string): string {
  const url = typeof returnTo === 'string' ? URL.parse(returnTo, baseUrl) : null
  return url?.origin === new URL(baseUrl).origin ? url.href : '/'
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title} – The kite shop</title><h1>${title}</h1>
${body}
</html>`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
