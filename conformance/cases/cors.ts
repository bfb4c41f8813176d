import type { Case, CaseSection } from '../case.ts'
import type { Answer } from '../exchange.ts'
import { check, equal, header, status } from '../expect.ts'
import type { Site } from '../site.ts'

const origin = 'https://app.conformance.example'
const allow = 'Access-Control-Allow-'

/** §16: calls from pages of other origins. */
export const corsCases: CaseSection = {
  section: 16,
  title: 'CORS',
  cases: [
    corsCase('P-428', 'allows a listed origin', async (site) => {
      header(await ask(site), `${allow}Origin`, origin)
      header(
        await site.visitor().get('/site/basic-info.json', { headers: { origin } }),
        `${allow}Origin`,
        origin,
      )
    }),
    corsCase('P-429', 'allows credentials', async (site) => {
      header(await ask(site), `${allow}Credentials`, 'true')
    }),
    corsCase('P-430', 'echoes no origin that is not listed', async (site) => {
      // Otherwise any page could read what a signed-in user sees.
      for (const other of ['https://evil.example', `${origin}.evil.example`, 'null', `${origin}:8443`]) {
        const answer = await site.visitor().get('/session/current.json', { headers: { origin: other } })
        const allowed = answer.header(`${allow}Origin`)
        check(allowed !== other && allowed !== '*', `the answer allows ${allowed}`, answer)
      }
    }),
    corsCase('P-431', 'answers a preflight with 200 and nothing else', async (site) => {
      equal(status(await preflight(site), 200).text, '', 'the body')
    }),
    corsCase('P-432', 'allows the headers that apps send', async (site) => {
      const allowed = listOf(await preflight(site), `${allow}Headers`)
      for (const name of [
        'user-api-key',
        'user-api-client-id',
        'content-type',
        'x-requested-with',
        'x-csrf-token',
        'discourse-present',
      ]) {
        check(allowed.includes(name), `${name} is not among ${allowed.join(', ')}`)
      }
    }),
    corsCase('P-433', 'does not allow the headers of API keys', async (site) => {
      const allowed = listOf(await preflight(site), `${allow}Headers`)
      check(!allowed.includes('api-key') && !allowed.includes('api-username'), 'they are allowed')
    }),
    corsCase('P-434', 'allows the methods but PATCH', async (site) => {
      const allowed = listOf(await preflight(site), `${allow}Methods`).sort()
      equal(allowed, ['delete', 'get', 'options', 'post', 'put'], 'the methods')
    }),
    corsCase('P-435', 'lets a preflight be kept for two hours', async (site) => {
      header(await preflight(site), 'Access-Control-Max-Age', '7200')
    }),
    {
      id: 'P-436',
      title: 'says nothing while no origin is listed',
      needs: ['cors', 'admin'],
      run: (site) =>
        site.settings.with({ cors_origins: '' }, async () => {
          const answer = await ask(site)
          equal(answer.header(`${allow}Origin`), undefined, `${allow}Origin`, answer)
        }),
    },
    corsCase('P-437', 'lets a page read refusals too', async (site) => {
      const refused = await site.program({ 'User-Api-Key': 'f'.repeat(32) }).get('/session/current.json', {
        headers: { origin },
      })
      header(status(refused, 403), `${allow}Origin`, origin)
    }),
  ],
}

function corsCase(id: Case['id'], title: string, run: (site: Site) => Promise<void>): Case {
  return {
    id,
    title,
    needs: ['cors', 'admin'],
    run: (site) => site.settings.with({ cors_origins: `https://first.example|${origin}` }, () => run(site)),
  }
}

async function ask(site: Site): Promise<Answer> {
  const key = await site.approve()
  return status(await key.api.get('/session/current.json', { headers: { origin } }), 200)
}

function preflight(site: Site): Promise<Answer> {
  return site.program().ask('/session/current.json', {
    method: 'OPTIONS',
    accept: 'none',
    headers: {
      origin,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'user-api-key',
    },
  })
}

function listOf(answer: Answer, name: string): string[] {
  return (answer.header(name) ?? '').split(',').map((one) => one.trim().toLowerCase())
}
