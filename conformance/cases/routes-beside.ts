import type { CaseSection } from '../case.ts'
import { check, equal, fields, matches, object, ok, redirect, status } from '../expect.ts'

/** §17: what clients call besides. */
export const routeBesideCases: CaseSection = {
  section: 17,
  title: 'routes beside it',
  cases: [
    {
      id: 'P-438',
      title: 'tells anybody what the site is',
      run: async (site) =>
        fields(ok(await site.visitor().get('/site/basic-info.json')), ['title', 'description'], 'the answer'),
    },
    {
      id: 'P-439',
      title: 'gives a CSRF token',
      run: async (site) => {
        matches(ok(await site.visitor().get('/session/csrf.json')).csrf, /./, 'csrf')
      },
    },
    {
      id: 'P-440',
      title: 'signs in',
      needs: ['user'],
      async run(site) {
        const person = await site.user()
        const browser = await site.anotherBrowserOf(person)
        const { current_user: user } = ok(await browser.get('/session/current.json')) as {
          current_user?: { username?: string }
        }
        equal(user?.username, person.username, 'who is signed in')
      },
    },
    {
      id: 'P-441',
      title: 'signs nobody in with a wrong password',
      needs: ['user'],
      async run(site) {
        const { username } = await site.user()
        const browser = site.visitor()
        const answer = await browser.post('/session.json', { login: username, password: 'wrong password' })
        matches(object(answer).error, /./, 'error', answer)
        status(await browser.get('/session/current.json'), 404)
      },
    },
    {
      id: 'P-442',
      title: 'tells who is signed in',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        const { current_user: user } = ok(await browser.get('/session/current.json'))
        fields(user, ['username', 'admin', 'moderator', 'unread_notifications'], 'current_user')
      },
    },
    {
      id: 'P-443',
      title: 'knows no current user of a visitor',
      run: async (site) => {
        status(await site.visitor().get('/session/current.json'), 404)
      },
    },
    {
      id: 'P-444',
      title: 'signs out, with the CSRF token alone',
      needs: ['user'],
      async run(site) {
        const person = await site.user()
        const browser = await site.anotherBrowserOf(person)
        const path = `/session/${person.username}.json`
        status(await browser.delete(path, { csrf: false }), 403)
        status(await browser.get('/session/current.json'), 200)
        status(await browser.delete(path), 200)
        status(await browser.get('/session/current.json'), 404)
      },
    },
    {
      id: 'P-445',
      title: 'sends somebody signed in on to where they wanted to go',
      needs: ['user'],
      async run(site) {
        const { browser, username, password } = await site.user()
        const form = { username, password, redirect: '/about' }
        matches(
          redirect(await browser.post('/login', form, { accept: 'html' })),
          /\/about$/,
          'where it leads',
        )
      },
    },
    {
      id: 'P-446',
      title: 'sends nobody to another site',
      needs: ['user'],
      async run(site) {
        const { browser, username, password } = await site.user()
        const others = [
          'https://evil.example/',
          '//evil.example',
          '/\\evil.example',
          'https:evil.example',
          '/\t/evil.example',
        ]
        for (const other of others) {
          const form = { username, password, redirect: other }
          const answer = await browser.post('/login', form, { accept: 'html' })
          const { host } = new URL(answer.header('location') ?? '/', site.baseUrl)
          check(host !== 'evil.example', `it leads to ${answer.header('location')}`, answer)
        }
      },
    },
    {
      id: 'P-447',
      title: 'tells the totals of notifications',
      needs: ['user', 'forum'],
      async run(site) {
        const { browser } = await site.user()
        fields(ok(await browser.get('/notifications/totals.json')), ['topic_tracking'], 'the answer')
      },
    },
    {
      id: 'P-448',
      title: 'lists notifications',
      needs: ['user', 'forum'],
      async run(site) {
        const key = await site.approve({ scopes: 'notifications' })
        for (const search of ['', '?recent=true&limit=25', '?recent=true&limit=25&silent=true']) {
          const { notifications } = ok(await key.api.get(`/notifications.json${search}`))
          check(Array.isArray(notifications), 'notifications is no list')
        }
      },
    },
    {
      id: 'P-449',
      title: 'tells what somebody tracks',
      needs: ['user', 'forum'],
      async run(site) {
        const { browser, username } = await site.user()
        const answer = status(await browser.get(`/users/${username}/topic-tracking-state.json`), 200)
        const list = Array.isArray(answer.json) ? answer.json : (answer.json as { data?: unknown })?.data
        check(Array.isArray(list), 'it is no list', answer)
      },
    },
    {
      id: 'P-450',
      title: 'tells anybody about the site',
      needs: ['forum'],
      run: async (site) => fields(ok(await site.visitor().get('/about.json')), ['about'], 'the answer'),
    },
  ],
}
