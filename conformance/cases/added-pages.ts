import type { Case } from '../case.ts'
import { randomText } from '../crypto.ts'
import { requestDevice } from '../device.ts'
import { check, header, status } from '../expect.ts'
import { query } from '../visitor.ts'

/** §19: pages that work without scripts, and run none but their own. */
export function pageCases(): readonly Case[] {
  return [
    {
      id: 'A-14',
      title: 'shows the payload in one line, where programs look for it',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        const asked = await site.request()
        const answer = await browser.post('/user-api-key', asked, { accept: 'html' })
        const [first = ''] = answer.text.match(/<code[\s\S]*?<\/code>/) ?? []
        const [, payload = ''] =
          /^<code id="user-api-key-payload"[^>]*>([A-Za-z0-9+/=]+)\n<\/code>$/.exec(first) ?? []
        check(payload !== '', `the first <code> is ${first.slice(0, 100)}`, answer)
        await site.issued(payload, asked, {}, answer)
      },
    },
    {
      id: 'A-15',
      title: 'approves by the consent page’s form as it is',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        const asked = await site.request({ client_id: `form-${randomText()}\n`, padding: 'oaep' })
        const page = await browser.get(`/user-api-key/new?${query(asked)}`, { accept: 'html' })
        const { action, fields: form } = formIn(page.text, '/user-api-key')
        const answer = await browser.post(action, form, { accept: 'html', csrf: false })
        const [, payload = ''] = /<code[^>]*>([A-Za-z0-9+/=]+)/.exec(status(answer, 200).text) ?? []
        await site.issued(payload, asked, {}, answer)
      },
    },
    {
      id: 'A-16',
      title: 'lets no page be framed, and runs no inline script',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        const consent = (await site.asking()).replace('.json', '')
        for (const path of [consent, '/user-api-key/activate', '/login']) {
          const visitor = path === '/login' ? site.visitor() : browser
          const answer = status(await visitor.get(path, { accept: 'html' }), 200)
          const policy = header(answer, 'Content-Security-Policy', /frame-ancestors 'none'/)
          check(!policy.includes('unsafe-inline'), 'the policy allows inline scripts', answer)
          check(
            !/<script(?![^>]*\bsrc=)|\son\w+=/i.test(answer.text),
            'the page has an inline script',
            answer,
          )
        }
      },
    },
    {
      id: 'A-21',
      title: 'shows the request link as a QR code',
      needs: ['user', 'device'],
      async run(site) {
        const { requestToken } = await requestDevice(site)
        const { browser } = await site.user()
        const answer = await browser.get(`/user-api-key/activate?request=${requestToken}`, { accept: 'html' })
        check(/<(svg|img)\b[^>]*\bQR\b/i.test(answer.text), 'the page shows none', answer)
      },
    },
  ]
}

/** The form of a page that posts to `path`, as a browser without scripts would send it. */
function formIn(
  html: string,
  path: string,
): { readonly action: string; readonly fields: Record<string, string> } {
  const forms = [...html.matchAll(/<form\b[^>]*\baction="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g)]
  const [, action = '', inside = ''] =
    forms.find(([, target = '']) => /^[^?]*/.exec(target)?.[0] === path) ?? []
  check(action !== '', `the page has no form that posts to ${path}`)
  const inputs = [...inside.matchAll(/<input\b([^>]*)>/g)].map(([, attributes = '']) => attributes)
  const fields = inputs.flatMap((attributes) => {
    const name = /\bname="([^"]*)"/.exec(attributes)?.[1]
    const value = /\bvalue="([^"]*)"/.exec(attributes)?.[1] ?? ''
    // A browser turns each line end of a field into CR LF.
    return name === undefined ? [] : [[name, unescaped(value).replace(/\r\n|\r|\n/g, '\r\n')] as const]
  })
  return { action: unescaped(action), fields: Object.fromEntries(fields) }
}

function unescaped(text: string): string {
  return text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&#x([0-9a-f]+);/gi, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
}
