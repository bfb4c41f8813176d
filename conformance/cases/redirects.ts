import type { Case, CaseSection } from '../case.ts'
import { equal, ok } from '../expect.ts'
import type { Site } from '../site.ts'

/** §13: which redirects an entry of the allow-list allows, seen from what becomes of a request. */
export const redirectCases: CaseSection = {
  section: 13,
  title: 'redirect allow-list',
  cases: matrix().map(({ id, title, entries, allows = [], refuses = [] }) => ({
    id,
    title,
    needs: ['admin', 'oaep'],
    async run(site) {
      const accepted = await entriesThatCanBe(site, entries)
      await site.settings.with({ [setting]: accepted.join('|') }, async () => {
        for (const candidate of allows) equal(await stateFor(site, candidate), 'ready', show(candidate))
        for (const candidate of refuses)
          equal(await stateFor(site, candidate), 'generic_error', show(candidate))
      })
    },
  })),
}

const setting = 'allowed_user_api_auth_redirects'

/** A site may refuse to list an entry that can never match; then it allows nothing by it. */
async function entriesThatCanBe(site: Site, entries: readonly string[]): Promise<readonly string[]> {
  const before = site.settings.value(setting) ?? ''
  const accepted: string[] = []
  for (const entry of entries) {
    const answer = await site.admin().put(`/admin/site_settings/${setting}.json`, { [setting]: entry })
    if (answer.status === 200) accepted.push(entry)
  }
  await site.admin().put(`/admin/site_settings/${setting}.json`, { [setting]: before })
  return accepted
}

async function stateFor(site: Site, auth_redirect: string): Promise<unknown> {
  const { browser } = await site.user()
  return ok(await browser.get(await site.asking({ auth_redirect }))).state
}

function show(candidate: string): string {
  return `the state for ${JSON.stringify(candidate)}`
}

interface Row {
  readonly id: Case['id']
  readonly title: string
  readonly entries: readonly string[]
  readonly allows?: readonly string[]
  readonly refuses?: readonly string[]
}

function matrix(): readonly Row[] {
  return [
    {
      id: 'P-403',
      title: 'refuses what has no scheme or no host, even by *',
      entries: ['*'],
      refuses: ['noscheme', '/path', 'https://', '//host.example/cb', 'mailto:sam@example.com', 'http:///x'],
    },
    {
      id: 'P-404',
      title: 'allows everything else by *',
      entries: ['*'],
      allows: ['https://a.example/cb?x=1', 'http://127.0.0.1:8000', 'any-scheme://host/path'],
    },
    {
      id: 'P-405',
      title: 'allows by an entry without * itself alone',
      entries: ['https://www.discourse.example/cb'],
      allows: ['https://www.discourse.example/cb'],
      refuses: [
        'https://www.discourse.example/cb/',
        'https://www.discourse.example/c',
        'https://www.discourse.example/',
        'https://www.www.discourse.example/cb',
        'https://discourse.example/cb',
        'https://evil.example/www.discourse.example/cb',
        'https://www.discourse.example.evil.example/cb',
      ],
    },
    {
      id: 'P-406',
      title: 'takes capitals in scheme and host for small letters',
      entries: ['https://app.example.com/cb'],
      allows: ['HTTPS://App.Example.COM/cb'],
    },
    {
      id: 'P-407',
      title: 'refuses another scheme',
      entries: ['https://app.example.com/cb', 'https://*.example.org/*'],
      refuses: ['http://app.example.com/cb', 'app://app.example.com/cb', 'http://a.example.org/x'],
    },
    {
      id: 'P-408',
      title: 'refuses another port',
      entries: ['https://app.example.com/cb', 'http://localhost:3000/cb', 'https://*.example.org/*'],
      allows: ['https://app.example.com:443/cb', 'http://localhost:3000/cb'],
      refuses: [
        'https://app.example.com:8443/cb',
        'http://localhost/cb',
        'http://localhost:3001/cb',
        'https://a.example.org:8080/x',
      ],
    },
    {
      id: 'P-409',
      title: 'refuses user information that the entry does not have',
      entries: ['https://app.example.com/cb', 'https://*.example.org/*'],
      refuses: [
        'https://sam@app.example.com/cb',
        'https://a.example.org:x@evil.example/',
        'https://sam@a.example.org/x',
      ],
    },
    {
      id: 'P-410',
      title: 'allows hosts of any depth by *.',
      entries: ['https://*.example.com/callback'],
      allows: ['https://app.example.com/callback', 'https://deep.sub.example.com/callback'],
      refuses: ['https://app.example.com/other', 'http://app.example.com/callback'],
    },
    {
      id: 'P-411',
      title: 'refuses the domain itself by *.',
      entries: ['https://*.example.com/callback'],
      refuses: ['https://example.com/callback', 'https://.example.com/callback'],
    },
    {
      id: 'P-412',
      title: 'lets no * in a host reach beyond it',
      entries: ['https://*.example.com/callback', 'https://*.example.com/*'],
      refuses: [
        'https://notexample.com/callback',
        'https://evil.example/path/.example.com/callback',
        'https://evil.com.example.com.attacker.example/callback',
        'https://evil.example/any.example.com/path',
        'https://evil.example?.example.com/callback',
        'https://evil.example#.example.com/callback',
        'https://evil.example\\.example.com/callback',
      ],
    },
    {
      id: 'P-413',
      title: 'lets a * in a path match path and query',
      entries: ['http://over.the.example/rainbow/*'],
      allows: [
        'http://over.the.example/rainbow/foo',
        'http://over.the.example/rainbow/?p=1',
        'http://over.the.example/rainbow/',
      ],
      refuses: [
        'http://over.the.example/rain',
        'http://over.the.example/rainbow',
        'http://over.the.example/x/rainbow/foo',
      ],
    },
    {
      id: 'P-414',
      title: 'refuses a query that the entry does not have',
      entries: ['https://app.example.com/cb'],
      refuses: ['https://app.example.com/cb?x=1', 'https://app.example.com/cb?x'],
    },
    {
      id: 'P-415',
      title: 'keeps an empty path and / apart',
      entries: ['https://a.example', 'https://b.example/'],
      allows: ['https://a.example', 'https://b.example/'],
      refuses: ['https://a.example/', 'https://b.example'],
    },
    {
      id: 'P-416',
      title: 'refuses a fragment that the entry does not have',
      entries: [
        'https://app.example.com/cb',
        'https://app.example.com/with#part',
        'https://app.example.com/any#*',
      ],
      allows: ['https://app.example.com/with#part', 'https://app.example.com/any#thing'],
      refuses: [
        'https://app.example.com/cb#x',
        'https://app.example.com/with',
        'https://app.example.com/with#other',
      ],
    },
    {
      id: 'P-417',
      title: 'refuses a line break',
      entries: ['https://app.example.com/cb', 'https://app.example.com/*', '*'],
      refuses: [
        'https://app.example.com/cb\nhttps://evil.example/',
        'https://evil.example/\r\nx: y',
        'https://app.\nexample.com/cb',
      ],
    },
    {
      id: 'P-418',
      title: 'matches a scheme of the app’s own',
      entries: ['discourse://auth_redirect', 'web+app://auth-redirect/*'],
      allows: ['discourse://auth_redirect', 'web+app://auth-redirect/x'],
      refuses: ['discourse://other', 'discourse://auth_redirect/x', 'web+apps://auth-redirect/x'],
    },
    {
      id: 'P-419',
      title: 'allows nothing by * for a scheme or a port',
      entries: ['*://app.example.com/cb', 'http://localhost:*/cb'],
      refuses: ['https://app.example.com/cb', 'http://localhost:3000/cb', 'http://localhost/cb'],
    },
    {
      id: 'P-420',
      title: 'tries each entry',
      entries: ['https://a.example/cb', 'https://b.example/cb', 'discourse://auth_redirect'],
      allows: ['https://a.example/cb', 'https://b.example/cb', 'discourse://auth_redirect'],
      refuses: ['https://c.example/cb'],
    },
  ]
}
