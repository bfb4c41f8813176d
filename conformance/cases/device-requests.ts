import type { Case } from '../case.ts'
import { keyPair } from '../crypto.ts'
import { requestDevice } from '../device.ts'
import { equal, fields, matches, noFault, ok, refusal, status } from '../expect.ts'
import { expectLimit, withLimits } from '../limits.ts'
import type { AuthorizationFields } from '../site.ts'

/** §5.2: an app asks. */
export const deviceRequestCases: readonly Case[] = [
  {
    id: 'P-134',
    title: 'answers a request with codes and addresses',
    needs: ['device'],
    run: async (site) => {
      fields(ok((await requestDevice(site)).answer), answerFields, 'the answer')
    },
  },
  {
    id: 'P-135',
    title: 'serves the request without .json too',
    needs: ['device'],
    async run(site) {
      const answer = await site.program().ask('/user-api-key/device', { json: await site.request() })
      fields(ok(answer), answerFields, 'the answer', answer)
    },
  },
  {
    id: 'P-136',
    title: 'refuses a body that is not declared as JSON',
    needs: ['device'],
    async run(site) {
      const request = await site.request()
      status(await site.program().post('/user-api-key/device.json', request), 403)
      const raw = JSON.stringify(request)
      const headers = { 'content-type': 'text/plain' }
      status(await site.program().ask('/user-api-key/device.json', { raw, headers }), 403)
    },
  },
  {
    id: 'P-137',
    title: 'refuses a request that does not ask for JSON',
    needs: ['device'],
    async run(site) {
      const json = await site.request()
      status(await site.program().ask('/user-api-key/device', { json, accept: 'html' }), 403)
    },
  },
  ...formCases(),
  ...refusalCases(),
  {
    id: 'P-153',
    title: 'takes ids and names of up to 200 bytes',
    needs: ['device'],
    async run(site) {
      for (const name of ['client_id', 'application_name']) {
        await requestDevice(site, { [name]: 'ü'.repeat(100) })
        const json = await site.request({ [name]: `${'ü'.repeat(100)}x` })
        refusal(await site.program().ask('/user-api-key/device.json', { json }), 400, 'invalid_parameters')
      }
    },
  },
  {
    id: 'P-156',
    title: 'stays up whatever the body is',
    needs: ['device'],
    async run(site) {
      const headers = { 'content-type': 'application/json' }
      for (const raw of ['[]', '"x"', 'null', '{', '{"nonce":{"a":1},"scopes":["read"]}', '\u0000']) {
        noFault(await site.program().ask('/user-api-key/device.json', { method: 'POST', raw, headers }))
      }
    },
  },
]

/** §5.7, for those who ask; after the others, because a site without settings for its limits is used up by it. */
export const deviceRequestLimitCases: readonly Case[] = [
  {
    id: 'P-192',
    title: 'limits requests to 20 a minute from one address',
    needs: ['device', 'admin'],
    run: (site) =>
      withLimits(site, {}, async () => {
        const json = await site.request()
        const answer = await expectLimit(20, 'the requests that were let through', () =>
          site.program().ask('/user-api-key/device.json', { json, limited: true }),
        )
        refusal(answer, 429, 'rate_limit')
      }),
  },
  {
    id: 'P-193',
    title: 'limits polls to 60 a minute',
    needs: ['device', 'admin'],
    run: async (site) => {
      const { deviceCode: device_code } = await requestDevice(site)
      await withLimits(site, {}, async () => {
        const answer = await expectLimit(60, 'the polls that were let through', () =>
          site.program().ask('/user-api-key/device/poll.json', { json: { device_code }, limited: true }),
        )
        refusal(answer, 429, 'rate_limit')
      })
    },
  },
]

const answerFields = [
  'device_code',
  'user_code',
  'verification_uri',
  'verification_uri_with_request',
  'expires_in',
  'interval',
]

function formCases(): readonly Case[] {
  const answered = async (site: Parameters<Case['run']>[0]): Promise<Record<string, unknown>> =>
    ok((await requestDevice(site)).answer)
  return [
    {
      id: 'P-138',
      title: 'makes device codes of 64 hexadecimal characters',
      needs: ['device'],
      run: async (site) => {
        matches((await answered(site)).device_code, /^[0-9a-f]{64}$/, 'device_code')
      },
    },
    {
      id: 'P-139',
      title: 'makes user codes of letters and digits that cannot be confused',
      needs: ['device'],
      run: async (site) => {
        matches((await answered(site)).user_code, /^[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}$/, 'user_code')
      },
    },
    {
      id: 'P-140',
      title: 'tells the activation page of the address that was called',
      needs: ['device'],
      run: async (site) => {
        const { verification_uri: address } = await answered(site)
        equal(address, `${site.baseUrl}/user-api-key/activate`, 'verification_uri')
      },
    },
    {
      id: 'P-141',
      title: 'tells a link to the request',
      needs: ['device'],
      run: async (site) => {
        const { verification_uri: address, verification_uri_with_request: link } = await answered(site)
        const token = matches(link, /\?request=[A-Za-z0-9_-]{8}$/, 'verification_uri_with_request').slice(-8)
        equal(link, `${address}?request=${token}`, 'verification_uri_with_request')
      },
    },
    {
      id: 'P-142',
      title: 'gives ten minutes, and asks for a poll every five seconds',
      needs: ['device'],
      run: async (site) => {
        const { expires_in, interval } = await answered(site)
        equal([expires_in, interval], [600, 5], 'expires_in and interval')
      },
    },
  ]
}

function refusalCases(): readonly Case[] {
  const cases: readonly [Case['id'], string, readonly AuthorizationFields[], number][] = [
    ['P-143', 'blank required parameters', [{ nonce: '' }, { scopes: ' ' }, { client_id: undefined }], 400],
    ['P-144', 'a missing name or key', [{ application_name: undefined }, { public_key: '' }], 400],
    [
      'P-145',
      'an empty name among the scopes',
      [{ scopes: 'read,' }, { scopes: ',read' }, { scopes: 'read,,write' }],
      400,
    ],
    ['P-146', 'the scope one_time_password', [{ scopes: 'read,one_time_password' }], 400],
    ['P-147', 'an unknown scope', [{ scopes: 'fly' }, { scopes: 'read, write' }], 403],
    ['P-148', 'an unknown padding', [{ padding: 'rot13' }], 400],
    ['P-149', 'a public key that does not parse', [{ public_key: 'hello' }], 400],
    ['P-151', 'an unusable expiry', [{ expires_in_seconds: '0' }, { expires_in_seconds: 'soon' }], 400],
    [
      'P-152',
      'a nonce that does not fit',
      [{ nonce: 'n'.repeat(172) }, { nonce: 'n'.repeat(141), padding: 'oaep' }],
      400,
    ],
    [
      'P-155',
      'too many scopes',
      [{ scopes: Array(21).fill('read').join() }, { scopes: 'x'.repeat(501) }],
      400,
    ],
  ]
  return [
    ...cases.map(
      ([id, what, changes, expected]): Case => ({
        id,
        title: `refuses ${what} with ${expected}`,
        needs: ['device'],
        async run(site) {
          for (const change of changes) {
            const json = await site.request(change)
            status(await site.program().ask('/user-api-key/device.json', { json }), expected)
          }
        },
      }),
    ),
    {
      id: 'P-150',
      title: 'refuses a key of 1024 bits with 400',
      needs: ['device'],
      async run(site) {
        const json = await site.request({ public_key: (await keyPair(1024)).pem, nonce: '1' })
        refusal(await site.program().ask('/user-api-key/device.json', { json }), 400, 'invalid_parameters')
      },
    },
    {
      id: 'P-154',
      title: 'refuses a nonce of more than 256 bytes with 400',
      needs: ['device'],
      async run(site) {
        // Large enough a key that the payload would fit.
        const public_key = (await keyPair(4096)).pem
        await requestDevice(site, { public_key, nonce: 'n'.repeat(256) })
        const json = await site.request({ public_key, nonce: 'n'.repeat(257) })
        refusal(await site.program().ask('/user-api-key/device.json', { json }), 400, 'invalid_parameters')
      },
    },
  ]
}
