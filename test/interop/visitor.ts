/** A user in front of a plain browser, by HTTP alone: keeps cookies, reads pages, sends forms as a browser does. */
import assert from 'node:assert/strict'
import type { RunningServer } from '../running-server.ts'

/** What the user finds about one of their apps on the page *Your apps*. */
export type AppState = 'approved' | 'revoked' | 'absent'

export interface Visitor {
  /** Opens an address with the cookies that its host has set, and follows no redirect. */
  open(address: string, init?: RequestInit): Promise<Response>
  /** The cookies so far, as a header has them. */
  cookies(): string
  /** Opens what an app printed and authorizes it. Where the site then sends the browser. */
  approveToRedirect(address: string): Promise<string>
  /** Opens what an app printed and authorizes it. What the user copies from the page: one line of Base64. */
  approveToPayload(address: string): Promise<string>
  /** Opens the link that a device shows, and types the code that stands beside it. */
  typeCode(link: string, code: string): Promise<void>
  app(applicationName: string): Promise<AppState>
}

/** The server’s administrator, signed in. */
export async function signedInVisitor(server: RunningServer): Promise<Visitor> {
  const cookies = new Map<string, string>()
  const cookieHeader = (): string => [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const open = async (address: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers)
    headers.set('cookie', cookieHeader())
    const answer = await fetch(address, { ...init, headers, redirect: 'manual' })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    return answer
  }

  /** Opens a page and sends the form on it that posts to `path`, filled in with `typed`. */
  const sendForm = async (
    address: string,
    path: string,
    typed: Readonly<Record<string, string>> = {},
  ): Promise<Response> => {
    const answer = await open(address)
    const page = await answer.text()
    assert.equal(answer.status, 200, page)
    const forms = page.matchAll(/<form[^>]* action="([^"]*)">[\s\S]*?<\/form>/g)
    const form = forms.find(([, action = '']) => action.replace(/\?.*/, '') === path)
    assert.ok(form, `no form for ${path} at ${address}:\n${page}`)
    return open(new URL(unescaped(form[1] ?? ''), address).href, {
      method: 'POST',
      headers: { accept: 'text/html' },
      body: new URLSearchParams([...hiddenFields(form[0]), ...Object.entries(typed)]),
    })
  }

  const visitor: Visitor = {
    open,
    cookies: cookieHeader,
    async approveToRedirect(address) {
      const answer = await sendForm(address, '/user-api-key')
      assert.equal(answer.status, 302, await answer.text())
      return answer.headers.get('location') ?? ''
    },
    async approveToPayload(address) {
      const answer = await sendForm(address, '/user-api-key')
      const page = await answer.text()
      assert.equal(answer.status, 200, page)
      // The first `<code>` of the page, up to the line break before its end: where programs look that read the page.
      const [, payload = ''] = /<code[^>]*>([^<]*)\n<\/code>/.exec(page) ?? []
      assert.match(payload, /^[A-Za-z0-9+/]+=*$/)
      return payload
    },
    async typeCode(link, code) {
      const answer = await sendForm(link, '/user-api-key/device/authorize', { code })
      assert.match(await answer.text(), /The app has access now/)
    },
    async app(applicationName) {
      const page = await (await open(`${server.baseUrl}/hallpass/apps`)).text()
      const [approved = '', revoked = ''] = page.split('<section class="revoked"')
      if (unescaped(approved).includes(applicationName)) return 'approved'
      return unescaped(revoked).includes(applicationName) ? 'revoked' : 'absent'
    },
  }

  const { csrf } = (await (await open(`${server.baseUrl}/session/csrf.json`)).json()) as { csrf: string }
  const signedIn = await open(`${server.baseUrl}/session.json`, {
    method: 'POST',
    headers: { 'x-csrf-token': csrf },
    body: new URLSearchParams({ login: server.adminUsername, password: server.adminPassword }),
  })
  assert.equal(signedIn.status, 200, await signedIn.text())
  return visitor
}

/** What a browser sends of a form’s hidden fields. It makes every line break a carriage return and a line feed. */
function hiddenFields(form: string): [string, string][] {
  return [...form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(
    ([, name = '', value = '']) => [name, unescaped(value).replace(/\r\n|\r|\n/g, '\r\n')],
  )
}

function unescaped(html: string): string {
  const characters: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' }
  return html.replace(/&(lt|gt|quot|#39|amp);/g, (entity, name: string) => characters[name] ?? entity)
}
