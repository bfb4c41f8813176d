import type { Case, CaseSection } from '../case.ts'
import { post } from '../consent.ts'
import { randomText } from '../crypto.ts'
import { enterCode, requestDevice } from '../device.ts'
import type { Answer } from '../exchange.ts'
import { check, equal, header, matches, noFault, object, refusal, status } from '../expect.ts'
import { untilRefused, withLimits } from '../limits.ts'
import type { Site } from '../site.ts'
import { query } from '../visitor.ts'

/** §12: how a refusal looks. */
export const errorCases: CaseSection = {
  section: 12,
  title: 'errors',
  cases: [
    {
      id: 'P-388',
      title: 'names a missing parameter in JSON, whatever was asked for',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        const form = await site.request({ nonce: undefined })
        for (const accept of ['json', 'html', 'none'] as const) {
          const { errors } = refusal(await browser.post('/user-api-key', form, { accept }), 400)
          check(Array.isArray(errors) && errors.length === 1, 'there is not exactly one text')
          matches(errors[0], /: nonce$/, 'the text')
        }
      },
    },
    {
      id: 'P-389',
      title: 'refuses an invalid parameter with 400 and invalid_parameters',
      needs: ['user', 'oaep'],
      run: async (site) => {
        refusal(await post(site, { public_key: 'hello' }), 400, 'invalid_parameters')
      },
    },
    {
      id: 'P-390',
      title: 'shows a browser an invalid parameter as a page with status 400',
      needs: ['oaep'],
      async run(site) {
        const path = (await site.asking({ padding: 'rot13' })).replace('.json', '')
        const answer = status(await site.visitor().get(path, { accept: 'html' }), 400)
        header(answer, 'Content-Type', /^text\/html/)
      },
    },
    {
      id: 'P-391',
      title: 'refuses what a key does not allow with 403 and invalid_access',
      needs: ['user'],
      async run(site) {
        const key = await site.approve({ scopes: 'session_info' })
        refusal(await key.api.get('/notifications.json'), 403, 'invalid_access')
        const unknown = site.program({ 'User-Api-Key': randomText(16) })
        refusal(await unknown.get('/session/current.json'), 403, 'invalid_access')
      },
    },
    {
      id: 'P-392',
      title: 'refuses somebody who is not signed in with 403 and not_logged_in',
      async run(site) {
        const answer = await site.visitor().post('/user-api-key/undo-revoke.json', { id: '1' })
        refusal(answer, 403, 'not_logged_in')
        const page = await site.visitor().post('/user-api-key/undo-revoke', { id: '1' }, { accept: 'html' })
        status(page, 403)
      },
    },
    {
      id: 'P-393',
      title: 'tells how long a limit lasts',
      needs: ['device', 'admin'],
      async run(site) {
        const { extras } = refusal(await limited(site), 429, 'rate_limit') as {
          extras?: Record<string, unknown>
        }
        check(Number.isInteger(extras?.wait_seconds), 'extras.wait_seconds is no integer')
        equal(typeof extras?.time_left, 'string', 'the type of extras.time_left')
      },
    },
    {
      id: 'P-394',
      title: 'tells the same in Retry-After',
      needs: ['device', 'admin'],
      async run(site) {
        const answer = await limited(site)
        const { extras } = object(answer) as { extras?: { wait_seconds?: number } }
        const difference = Number(header(answer, 'Retry-After', /^\d+$/)) - Number(extras?.wait_seconds)
        check(Math.abs(difference) <= 1, `they are ${difference} s apart`, answer)
      },
    },
    {
      id: 'P-395',
      title: 'refuses what does not exist with 404 and not_found',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        refusal(await browser.post('/user-api-key/revoke.json', { id: '999999999' }), 404, 'not_found')
      },
    },
    {
      id: 'P-396',
      title: 'refuses an invalid record with 422 and record_invalid',
      needs: ['admin'],
      async run(site) {
        const json = { key: { description: 'x'.repeat(256) } }
        refusal(await site.admin().ask('/admin/api/keys.json', { json }), 422, 'record_invalid')
      },
    },
    {
      id: 'P-397',
      title: 'refuses a CSRF token with the words that clients match on',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        for (const csrf of [false, randomText(16)] as const) {
          const answer = await browser.post('/user-api-key.json', await site.request(), { csrf })
          equal(status(answer, 403).text.trim(), '["BAD CSRF"]', 'the body', answer)
        }
      },
    },
    {
      id: 'P-398',
      title: 'gives each refusal at least one text',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        const answers = [
          await browser.post('/user-api-key.json', {}),
          await browser.post('/user-api-key.json', await site.request({ scopes: 'fly' })),
          await browser.post('/user-api-key/revoke.json', { id: '999999999' }),
          await site.visitor().post('/user-api-key/undo-revoke.json'),
        ]
        for (const answer of answers) {
          const { errors } = object(answer)
          check(Array.isArray(errors) && errors.length > 0, 'there is no text', answer)
        }
      },
    },
    {
      id: 'P-399',
      title: 'repeats no key that was sent',
      needs: ['user'],
      async run(site) {
        // What is shown in an answer ends up in logs and bug reports.
        const key = await site.approve()
        await key.api.post('/user-api-key/revoke.json')
        for (const accept of ['json', 'html'] as const) {
          const answer = await key.api.get('/session/current.json', { accept })
          check(!answer.text.includes(key.key), 'the key is in the answer', answer)
        }
      },
    },
    ...hostileCases(),
  ],
}

function hostileCases(): readonly Case[] {
  return [
    {
      id: 'P-400',
      title: 'refuses a body that does not parse',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        for (const raw of ['{', '{"nonce":', 'not json']) {
          const headers = { 'content-type': 'application/json' }
          const answer = await browser.ask('/user-api-key.json', { method: 'POST', raw, headers })
          check(answer.status >= 400 && answer.status < 500, `status is ${answer.status}`, answer)
        }
      },
    },
    {
      id: 'P-401',
      title: 'stays up when a parameter is a list or an object',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        const names = [
          'nonce',
          'scopes',
          'client_id',
          'public_key',
          'padding',
          'auth_redirect',
          'expires_in_seconds',
        ]
        for (const name of names) {
          const form = new URLSearchParams(query({ ...(await site.request({ [name]: undefined })) }))
          form.append(`${name}[]`, 'a')
          noFault(await browser.post('/user-api-key.json', form))
          for (const value of [['a'], { a: 'b' }, 5, true, null]) {
            noFault(
              await browser.ask('/user-api-key.json', { json: { ...(await site.request()), [name]: value } }),
            )
          }
        }
      },
    },
    {
      id: 'P-402',
      title: 'stays up when a parameter is no UTF-8, or holds NUL',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        for (const name of [
          'nonce',
          'client_id',
          'application_name',
          'scopes',
          'auth_redirect',
          'public_key',
        ]) {
          const rest = query({ ...(await site.request({ [name]: undefined })) })
          for (const bytes of ['%ff%fe', 'a%00b', '%c3', '%ed%a0%80', '%']) {
            noFault(await browser.get(`/user-api-key/new.json?${rest}&${name}=${bytes}`))
            const headers = { 'content-type': 'application/x-www-form-urlencoded' }
            const ask = { method: 'POST', raw: `${rest}&${name}=${bytes}`, headers }
            noFault(await browser.ask('/user-api-key.json', ask))
          }
        }
      },
    },
  ]
}

/** A request that a limit refused. */
async function limited(site: Site): Promise<Answer> {
  const { browser } = await site.newUser()
  await enterCode(browser, (await requestDevice(site)).userCode)
  return withLimits(site, {}, async () => {
    const refused = await untilRefused(12, (count) =>
      browser.post('/user-api-key/activate.json', { code: `YYYY-22${22 + count}` }, { limited: true }),
    )
    return refused.answer
  })
}
