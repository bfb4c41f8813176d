import type { Case, CaseSection } from '../case.ts'
import { faulty, genericError, ready } from '../consent.ts'
import { ellipticPem, keyPair, randomText } from '../crypto.ts'
import { check, equal, noFault, refusal } from '../expect.ts'
import { query } from '../visitor.ts'

/** §2: what the browser flow takes. */
export const parameterCases: CaseSection = {
  section: 2,
  title: 'parameters of the browser flow',
  cases: [
    ...missingCases(),
    {
      id: 'P-33',
      title: 'takes an empty or blank parameter as missing',
      async run(site) {
        for (const nonce of ['', ' ', '\t\n ']) {
          refusal(await site.visitor().get(await site.asking({ nonce })), 400)
        }
      },
    },
    {
      id: 'P-34',
      title: 'names the first missing parameter',
      async run(site) {
        const order = ['nonce', 'scopes', 'client_id', 'public_key', 'application_name']
        for (const [from, name] of order.entries()) {
          const left = Object.fromEntries(order.slice(from).map((missing) => [missing, undefined]))
          const answer = await site.visitor().get(await site.asking(left))
          const { errors } = refusal(answer, 400)
          check(String(errors).endsWith(`: ${name}`), `the text does not end in ": ${name}"`, answer)
        }
      },
    },
    {
      id: 'P-35',
      title: 'makes an unknown scope of a space after a comma',
      run: async (site) => {
        await genericError(site, { scopes: 'read, write' })
      },
    },
    {
      id: 'P-36',
      title: 'takes any text as client_id, as it is',
      needs: ['user'],
      async run(site) {
        for (const client_id of [
          `forum.example:42:${randomText()}`,
          `a host ${randomText()}`,
          `host-${randomText()}\n`,
        ]) {
          equal((await ready(site, { client_id })).client_id, client_id, 'client_id')
        }
      },
    },
    {
      id: 'P-37',
      title: 'takes short and long nonces, and any of -._~=',
      needs: ['user'],
      async run(site) {
        for (const nonce of ['1', randomText(32), 'a-b.c_d~e', 'q83vEjRWeJCrze8SNFZ4kA==']) {
          equal((await site.approve({ nonce })).payload.nonce, nonce, 'the nonce')
        }
      },
    },
    ...keyFormCases(),
    {
      id: 'P-43',
      title: 'refuses a key that is not RSA',
      run: async (site) => {
        await genericError(site, { public_key: await ellipticPem() })
      },
    },
    {
      id: 'P-44',
      title: 'stays up when the PEM was not percent-encoded',
      async run(site) {
        const { pem } = await keyPair()
        const others = query(await site.request({ public_key: undefined }))
        const raw = pem.replaceAll('\n', '%0A').replaceAll(' ', '%20')
        noFault(await site.visitor().get(`/user-api-key/new.json?${others}&public_key=${raw}`))
      },
    },
    {
      id: 'P-45',
      title: 'takes a blank padding as pkcs1',
      needs: ['user'],
      run: async (site) => {
        await site.approve({ padding: '' }, { padding: 'pkcs1' })
      },
    },
    ...expiryCases(),
  ],
}

function missingCases(): readonly Case[] {
  const names = [
    ['P-28', 'nonce'],
    ['P-29', 'scopes'],
    ['P-30', 'client_id'],
    ['P-31', 'public_key'],
    ['P-32', 'application_name'],
  ] as const
  return names.map(([id, name]) => ({
    id,
    title: `demands ${name}`,
    async run(site) {
      refusal(await site.visitor().get(await site.asking({ [name]: undefined })), 400)
    },
  }))
}

function keyFormCases(): readonly Case[] {
  const forms: readonly [Case['id'], string, (form: { pem: string; pkcs1Pem: string }) => string][] = [
    ['P-38', 'SubjectPublicKeyInfo', ({ pem }) => pem],
    ['P-39', 'PKCS#1', ({ pkcs1Pem }) => pkcs1Pem],
    ['P-40', 'a PEM with CR LF', ({ pem }) => pem.replaceAll('\n', '\r\n')],
    ['P-41', 'a PEM without its last line end', ({ pem }) => pem.trimEnd()],
  ]
  return [
    ...forms.map(
      ([id, form, write]): Case => ({
        id,
        title: `takes ${form}`,
        needs: ['user'],
        async run(site) {
          await site.approve({ public_key: write(await keyPair()) })
        },
      }),
    ),
    {
      id: 'P-42',
      title: 'takes keys of 2048 and 4096 bits',
      needs: ['user'],
      async run(site) {
        for (const bits of [2048, 4096] as const) {
          const pair = await keyPair(bits)
          await site.approve({ public_key: pair.pem }, { pair })
        }
      },
    },
  ]
}

function expiryCases(): readonly Case[] {
  return [
    {
      id: 'P-46',
      title: 'refuses an expiry that is not all digits',
      async run(site) {
        for (const expires_in_seconds of ['-1', '1.5', '1e3', '0x10', '60s', ' 60', '٣٠٠']) {
          await faulty(site, { expires_in_seconds })
        }
      },
    },
    {
      id: 'P-47',
      title: 'refuses an expiry of 0',
      run: async (site) => {
        await genericError(site, { expires_in_seconds: '0' })
      },
    },
    {
      id: 'P-48',
      title: 'refuses an expiry of more than ten characters',
      run: async (site) => {
        await genericError(site, { expires_in_seconds: '00000000060' })
      },
    },
    {
      id: 'P-49',
      title: 'takes an expiry up to max_user_api_key_expiry_days',
      needs: ['admin'],
      run: (site) =>
        site.settings.with({ max_user_api_key_expiry_days: '2' }, async () => {
          await ready(site, { expires_in_seconds: String(2 * 86_400) })
          await genericError(site, { expires_in_seconds: String(2 * 86_400 + 1) })
        }),
    },
    {
      id: 'P-50',
      title: 'refuses every expiry while max_user_api_key_expiry_days is 0',
      needs: ['admin'],
      run: (site) =>
        site.settings.with({ max_user_api_key_expiry_days: '0' }, async () => {
          await genericError(site, { expires_in_seconds: '1' })
          await ready(site, {})
        }),
    },
  ]
}
