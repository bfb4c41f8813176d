import type { Case } from '../case.ts'
import type { Answer } from '../exchange.ts'
import { check, equal, fields, header, matches, object, ok, refusal, skip, status } from '../expect.ts'
import type { IssuedKey, Site } from '../site.ts'

/** §19: what the site publishes for apps, and what it tells clients of OAuth. */
export const discoveryCases: readonly Case[] = [
  {
    id: 'A-29',
    title: 'publishes what it offers, for any page to read',
    async run(site) {
      const answer = await site.visitor().get('/.well-known/hallpass')
      const body = ok(answer)
      equal(body.issuer, site.baseUrl, 'issuer', answer)
      const version = (await site.visitor().ask('/user-api-key/new', { method: 'HEAD' })).header(
        'auth-api-version',
      )
      equal(String(body.protocol_version), version, 'protocol_version', answer)
      fields(body.flows, ['browser', 'device', 'oauth_device', 'one_time_password'], 'flows', answer)
      const [scope] = Array.isArray(body.scopes) ? body.scopes : []
      fields(scope, ['name', 'label', 'description', 'allowed', 'routes'], 'a scope', answer)
      header(answer, 'Access-Control-Allow-Origin', '*')
      const etag = header(answer, 'ETag', /^"/)
      status(await site.visitor().get('/.well-known/hallpass', { headers: { 'If-None-Match': etag } }), 304)
    },
  },
  {
    id: 'A-30',
    title: 'publishes the metadata of RFC 9728 and RFC 8414, which lead to one another',
    async run(site) {
      const resource = await published(site, '/.well-known/oauth-protected-resource')
      equal(resource.resource, site.baseUrl, 'resource')
      equal(resource.bearer_methods_supported, ['header'], 'bearer_methods_supported')
      equal(resource.authorization_servers, [site.baseUrl], 'authorization_servers')
      const server = await published(site, '/.well-known/oauth-authorization-server')
      equal(server.issuer, site.baseUrl, 'issuer')
      const demanded = ['token_endpoint', 'device_authorization_endpoint', 'response_types_supported']
      fields(server, [...demanded, 'scopes_supported', 'grant_types_supported'], 'the metadata')
    },
  },
  {
    id: 'A-31',
    title: 'tells programs which scopes would do, and which a key has',
    needs: ['user'],
    async run(site) {
      const { api } = await site.approve({ scopes: 'session_info' })
      const answer = await api.post('/user-api-key.json', await site.request())
      const { needed_scopes: needed, granted_scopes: granted } = refusal(answer, 403, 'invalid_access')
      equal([needed, granted], [['write'], ['session_info']], 'needed and granted', answer)
    },
  },
  {
    id: 'A-32',
    title: 'challenges clients of OAuth',
    needs: ['user'],
    async run(site) {
      const { key } = await site.approve({ scopes: 'session_info' })
      const narrow = await bearer(site, key).post('/user-api-key.json', await site.request())
      challenge(status(narrow, 403), /^Bearer .*error="insufficient_scope".* scope="write"/)
      const nobody = await site.program().post('/user-api-key/revoke.json')
      const bare = challenge(status(nobody, 403), /^Bearer /)
      check(!bare.includes('error='), `there is an error code: ${bare}`, nobody)
      challenge(
        await site.program({ 'User-Api-Key': '0'.repeat(32) }).get('/session/current.json'),
        /invalid_token/,
      )
    },
  },
  {
    id: 'A-33',
    title: 'answers 401 to a bearer token that does not count, and 403 to the same key in its own header',
    needs: ['user'],
    async run(site) {
      const issued = await site.approve()
      status(await bearer(site, issued.key).get('/session/current.json'), 200)
      ok(await issued.api.post('/user-api-key/revoke.json'))
      const answer = await bearer(site, issued.key).get('/session/current.json')
      challenge(status(answer, 401), /^Bearer .*error="invalid_token"/)
      refusal(await issued.api.get('/session/current.json'), 403, 'invalid_access')
    },
  },
  {
    id: 'A-34',
    title: 'tells holders of an API key what a user API key is, without using it',
    needs: ['admin'],
    async run(site) {
      const issued = await site.approve({ scopes: 'read,session_info', expires_in_seconds: '3600' })
      const { username } = await site.user()
      const body = await introspect(site, issued)
      equal(
        [body.active, body.scope, body.client_id, body.username, body.token_type],
        [true, 'read session_info', issued.clientId, username, 'Bearer'],
        'what is told',
      )
      fields(body, ['sub', 'iat', 'exp'], 'the answer')
      ok(await issued.api.post('/user-api-key/revoke.json'))
      equal(await introspect(site, issued), { active: false }, 'the answer for a revoked key')
      const stranger = await site.program().post('/oauth/introspect', { token: issued.key })
      equal(object(status(stranger, 401)).error, 'invalid_client', 'error', stranger)
    },
  },
  {
    id: 'A-35',
    title: 'takes a key back from whoever holds it',
    needs: ['user'],
    async run(site) {
      const issued = await site.approve({ scopes: 'session_info' })
      const revoke = (token: string): Promise<Answer> => site.program().post('/oauth/revoke', { token })
      status(present(await revoke('unknown'), '/oauth/revoke'), 200)
      equal(await site.accepts(issued), true, 'whether the key works before')
      for (const _ of [1, 2]) status(await revoke(issued.key), 200)
      equal(await site.accepts(issued), false, 'whether the key works after')
    },
  },
]

/** The answer; a part that the site has switched off skips the case. */
function present(answer: Answer, path: string): Answer {
  return answer.status === 404 ? skip(`the site has no ${path}`) : answer
}

async function published(site: Site, path: string): Promise<Record<string, unknown>> {
  const answer = present(await site.visitor().get(path), path)
  header(answer, 'Access-Control-Allow-Origin', '*')
  return ok(answer)
}

async function introspect(site: Site, { key }: IssuedKey): Promise<Record<string, unknown>> {
  const answer = await site.admin().post('/oauth/introspect', { token: key })
  return ok(present(answer, '/oauth/introspect'))
}

function bearer(site: Site, key: string) {
  return site.program({ authorization: `Bearer ${key}` })
}

function challenge(answer: Answer, expected: RegExp): string {
  return matches(answer.header('www-authenticate'), expected, 'WWW-Authenticate', answer)
}
