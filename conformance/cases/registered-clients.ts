import type { Case, CaseSection } from '../case.ts'
import { genericError, ready, refusedApproval } from '../consent.ts'
import { keyPair, randomText } from '../crypto.ts'
import { approveDevice, enterCode, poll, requestDevice } from '../device.ts'
import type { Answer } from '../exchange.ts'
import { equal, ok, refusal, skip, status } from '../expect.ts'
import { untilRefused, withLimits } from '../limits.ts'
import { type AuthorizationFields, redirects, type Site } from '../site.ts'

const path = '/user-api-key-client.json'

/** §7: registered clients. */
export const registeredClientCases: CaseSection = {
  section: 7,
  title: 'registered clients',
  cases: [...lookUpCases(), ...registrationCases(), ...effectCases(), ...limitCases()],
}

/** Parameters of a registration, with a key pair that no request of the suite uses otherwise. */
async function request(change: AuthorizationFields = {}): Promise<Record<string, string | undefined>> {
  const name = randomText(6)
  return {
    client_id: `registered-${name}`,
    application_name: `Registered ${name}`,
    public_key: (await keyPair(2048, 'registered')).pem,
    auth_redirect: redirects.plain,
    scopes: 'read,session_info',
    ...change,
  }
}

function offering(site: Site, run: () => Promise<void>): Promise<void> {
  return site.settings.with({ allow_user_api_key_client_scopes: 'read|session_info' }, run)
}

async function register(site: Site, change: AuthorizationFields = {}): Promise<Answer> {
  return site.program().post(path, await request(change))
}

/** A client that has registered; answers with its id. */
async function registered(site: Site, change: AuthorizationFields = {}): Promise<string> {
  const asked = await request(change)
  ok(await site.program().post(path, asked))
  return asked.client_id ?? ''
}

const bare = { public_key: undefined, application_name: undefined }

function lookUpCases(): readonly Case[] {
  return [
    {
      id: 'P-222',
      title: 'knows a registered client',
      needs: ['registration', 'admin'],
      run: (site) =>
        offering(site, async () => {
          const search = `${path}?client_id=${await registered(site)}`
          status(await site.visitor().get(search), 200)
          status(await site.visitor().ask(search, { method: 'HEAD' }), 200)
        }),
    },
    {
      id: 'P-223',
      title: 'knows no client that is not registered',
      needs: ['registration', 'user'],
      async run(site) {
        const { clientId } = await site.approve()
        for (const id of [clientId, `nobody-${randomText()}`]) {
          status(await site.visitor().get(`${path}?client_id=${id}`), 400)
        }
      },
    },
    {
      id: 'P-224',
      title: 'demands a client id',
      needs: ['registration'],
      run: async (site) => {
        status(await site.visitor().get(path), 400)
      },
    },
  ]
}

function registrationCases(): readonly Case[] {
  return [
    {
      id: 'P-225',
      title: 'registers a client',
      needs: ['registration', 'admin'],
      run: (site) =>
        offering(site, async () => equal(ok(await register(site)), { success: 'OK' }, 'the answer')),
    },
    {
      id: 'P-226',
      title: 'demands all five parameters',
      needs: ['registration', 'admin'],
      run: (site) =>
        offering(site, async () => {
          for (const name of Object.keys(await request())) refusal(await register(site, { [name]: '' }), 400)
        }),
    },
    {
      id: 'P-227',
      title: 'refuses a scope that clients may not register',
      needs: ['registration', 'admin'],
      run: (site) =>
        offering(site, async () => {
          refusal(await register(site, { scopes: 'read,write' }), 403, 'invalid_access')
        }),
    },
    {
      id: 'P-228',
      title: 'registers nobody while no scope is offered',
      needs: ['registration', 'admin'],
      run: (site) =>
        site.settings.with({ allow_user_api_key_client_scopes: '' }, async () => {
          refusal(await register(site), 403, 'invalid_access')
        }),
    },
    {
      id: 'P-229',
      title: 'refuses a public key that does not parse',
      needs: ['registration', 'admin', 'oaep'],
      run: (site) =>
        offering(site, async () => {
          refusal(await register(site, { public_key: 'hello' }), 400, 'invalid_parameters')
        }),
    },
    {
      id: 'P-230',
      title: 'refuses a client id that is taken',
      needs: ['registration', 'admin'],
      run: (site) =>
        offering(site, async () => {
          // Otherwise a stranger could have the payloads of an app in use sealed with a key of theirs.
          const { clientId } = await site.approve()
          refusal(await register(site, { client_id: clientId }), 403, 'invalid_access')
          refusal(await register(site, { client_id: await registered(site) }), 403, 'invalid_access')
        }),
    },
  ]
}

function effectCases(): readonly Case[] {
  return [
    {
      id: 'P-233',
      title: 'lets a registered client leave out what it registered',
      needs: ['registration', 'admin'],
      run: (site) =>
        offering(site, async () => {
          await ready(site, { client_id: await registered(site), ...bare })
        }),
    },
    {
      id: 'P-234',
      title: 'seals with the registered key',
      needs: ['registration', 'admin', 'oaep'],
      run: (site) =>
        offering(site, async () => {
          const pair = await keyPair(2048, 'registered')
          const client_id = await registered(site)
          await site.approve({ client_id, ...bare }, { pair })
          // Otherwise whoever knows the client's id could have its users' keys sealed for themselves.
          await site.approve({ client_id }, { pair })
        }),
    },
    {
      id: 'P-235',
      title: 'holds a client to the scopes that it registered',
      needs: ['registration', 'admin'],
      run: (site) =>
        offering(site, async () => {
          const client_id = await registered(site, { scopes: 'read' })
          await ready(site, { client_id, scopes: 'read' })
          await genericError(site, { client_id, scopes: 'read,session_info' })
          await refusedApproval(site, { client_id, scopes: 'session_info' }, [403, 'invalid_access'])
        }),
    },
    {
      id: 'P-236',
      title: 'holds a client to the redirect that it registered',
      needs: ['registration', 'admin', 'oaep'],
      run: (site) =>
        offering(site, async () => {
          const client_id = await registered(site)
          await ready(site, { client_id, auth_redirect: redirects.plain })
          await genericError(site, { client_id, auth_redirect: redirects.app })
          await refusedApproval(site, { client_id, auth_redirect: redirects.app }, [403, 'invalid_access'])
        }),
    },
    {
      id: 'P-237',
      title: 'refuses a registered redirect that the site does not list',
      needs: ['registration', 'admin', 'oaep'],
      run: (site) =>
        offering(site, async () => {
          const [client_id, auth_redirect] = [
            `unlisted-${randomText()}`,
            `https://unlisted-${randomText()}.example/cb`,
          ]
          const answer = await register(site, { client_id, auth_redirect })
          // A server may look at the list already when a client registers.
          if (answer.status !== 200) return
          await genericError(site, { client_id, auth_redirect, ...bare })
          await refusedApproval(site, { client_id, auth_redirect, ...bare }, [403, 'invalid_access'])
        }),
    },
    {
      id: 'P-238',
      title: 'goes by what was registered in the device flow',
      needs: ['registration', 'device', 'admin'],
      run: (site) =>
        offering(site, async () => {
          const pair = await keyPair(2048, 'registered')
          const asked = await request()
          ok(await site.program().post(path, asked))
          const { client_id } = asked
          const { browser } = await site.user()
          const request_ = await requestDevice(site, { client_id, application_name: 'Another name' })
          const { device_auth: shown } = (await enterCode(browser, request_.userCode)) as {
            device_auth?: Record<string, unknown>
          }
          equal(shown?.application_name, asked.application_name, 'application_name')
          equal(shown?.unregistered_client, false, 'unregistered_client')
          await approveDevice(browser, request_)
          const { payload } = await poll(site, request_.deviceCode)
          await site.issued(String(payload), request_.fields, { pair })
        }),
    },
  ]
}

function limitCases(): readonly Case[] {
  const few = { user_api_key_clients_create_per_day: '2' }
  const attempt = async (site: Site): Promise<Answer> =>
    site.program().post(path, await request({ public_key: 'hello' }), { limited: true })
  return [
    {
      id: 'P-232',
      title: 'limits no address that is exempt',
      needs: ['registration', 'admin'],
      run: (site) =>
        offering(site, async () => {
          if (!/\/\/(localhost|127\.|\[::1\])/.test(site.baseUrl))
            skip('the site sees this machine by another address')
          const exempt = { create_user_api_key_client_ip_rate_limit_override_ips: '127.0.0.1|::1' }
          await withLimits(site, { ...few, ...exempt }, async () => {
            for (let count = 0; count < 4; count += 1) ok(await register(site))
          })
        }),
    },
    {
      id: 'P-231',
      title: 'limits attempts from one address, failed ones too',
      needs: ['registration', 'admin'],
      run: (site) =>
        offering(site, () =>
          withLimits(site, few, async () => {
            // An earlier run of the same day may have used them up.
            const { answer } = await untilRefused(2, () => attempt(site))
            refusal(answer, 429, 'rate_limit')
          }),
        ),
    },
  ]
}
