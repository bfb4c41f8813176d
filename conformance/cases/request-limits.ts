import type { Case } from '../case.ts'
import { check, equal, header, matches, refusal, status } from '../expect.ts'
import { untilRefused, withLimits } from '../limits.ts'
import type { Site } from '../site.ts'

const current = '/session/current.json'
const minute = 'max_user_api_reqs_per_minute'
const day = 'max_user_api_reqs_per_day'

/** §10.3: how often keys may ask. */
export function limitCases(): readonly Case[] {
  const errorCode = 'Discourse-Rate-Limit-Error-Code'
  const refusedAfter = async (site: Site, settings: Readonly<Record<string, string>>) => {
    const { api } = await site.approve()
    return withLimits(site, settings, () => untilRefused(3, () => api.get(current, { limited: true })))
  }
  return [
    {
      id: 'P-315',
      title: 'limits a user API key by the minute',
      needs: ['admin'],
      async run(site) {
        const { answer, allowed } = await refusedAfter(site, { [minute]: '3', [day]: '100' })
        equal(allowed, 3, 'the requests that were let through', answer)
        refusal(answer, 429, 'rate_limit')
        header(answer, errorCode, 'user_api_key_limiter_60_secs')
      },
    },
    {
      id: 'P-316',
      title: 'limits a user API key by the day',
      needs: ['admin'],
      async run(site) {
        const { answer, allowed } = await refusedAfter(site, { [minute]: '100', [day]: '3' })
        equal(allowed, 3, 'the requests that were let through', answer)
        refusal(answer, 429, 'rate_limit')
        header(answer, errorCode, 'user_api_key_limiter_1_day')
      },
    },
    {
      id: 'P-317',
      title: 'limits each key by itself',
      needs: ['admin'],
      async run(site) {
        const [one, other] = [await site.approve(), await site.approve()]
        await withLimits(site, { [minute]: '2', [day]: '100' }, async () => {
          await untilRefused(2, () => one.api.get(current, { limited: true }))
          status(await other.api.get(current, { limited: true }), 200)
        })
      },
    },
    {
      id: 'P-318',
      title: 'counts what is refused for its scope',
      needs: ['admin'],
      async run(site) {
        const { api } = await site.approve({ scopes: 'push' })
        await withLimits(site, { [minute]: '2', [day]: '100' }, async () => {
          const { allowed } = await untilRefused(2, () => api.get('/notifications.json', { limited: true }))
          equal(allowed, 2, 'the requests that were refused for their scope')
        })
      },
    },
    {
      id: 'P-319',
      title: 'limits the API keys of the site together',
      needs: ['admin'],
      async run(site) {
        const { browser } = await site.newAdministrator()
        // The administrator's own key is used up by this, so a session puts things back.
        await site.settings.by(browser, () =>
          withLimits(site, { max_admin_api_reqs_per_minute: '3' }, async () => {
            const { answer } = await untilRefused(3, () => site.admin().get(current, { limited: true }))
            refusal(answer, 429, 'rate_limit')
            header(answer, errorCode, 'admin_api_key_rate_limit')
          }),
        )
      },
    },
    {
      id: 'P-320',
      title: 'tells when to come again',
      needs: ['admin'],
      async run(site) {
        const { answer } = await refusedAfter(site, { [minute]: '2', [day]: '100' })
        const seconds = Number(matches(answer.header('retry-after'), /^\d+$/, 'Retry-After', answer))
        check(seconds >= 1 && seconds <= 60, `Retry-After is ${seconds}`, answer)
      },
    },
  ]
}
