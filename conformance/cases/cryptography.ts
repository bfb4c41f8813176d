import type { Case, CaseSection } from '../case.ts'
import { approveWithRedirect, refusedApproval, valueIn } from '../consent.ts'
import { keyPair, open, type Padding, randomText } from '../crypto.ts'
import { check, equal, matches, ok } from '../expect.ts'
import { redirects, type Site } from '../site.ts'

/** §4: keys, payloads, encryption, encoding. */
export const cryptographyCases: CaseSection = {
  section: 4,
  title: 'cryptography and encodings',
  cases: [
    {
      id: 'P-112',
      title: 'makes keys of 32 hexadecimal characters',
      needs: ['user'],
      async run(site) {
        matches((await site.approve()).key, /^[0-9a-f]{32}$/, 'the key')
      },
    },
    {
      id: 'P-113',
      title: 'makes another key each time',
      needs: ['user'],
      async run(site) {
        const keys = [await site.approve(), await site.approve(), await site.approve()]
        equal(new Set(keys.map(({ key }) => key)).size, 3, 'the number of different keys')
      },
    },
    ...payloadCases(),
    ...paddingCases(),
    ...sizeCases(),
    ...encodingCases(),
  ],
}

function payloadCases(): readonly Case[] {
  return [
    {
      id: 'P-114',
      title: 'seals exactly key, nonce, push, api, and expires_at when it was asked for',
      needs: ['user'],
      async run(site) {
        const usual = ['key', 'nonce', 'push', 'api']
        equal(Object.keys((await site.approve()).payload), usual, 'the payload’s fields')
        const { payload } = await site.approve({ expires_in_seconds: '3600' })
        equal(Object.keys(payload), [...usual, 'expires_at'], 'the payload’s fields')
      },
    },
    {
      id: 'P-115',
      title: 'seals the nonce that was sent',
      needs: ['user'],
      async run(site) {
        const nonce = `${randomText()} ü`
        equal((await site.approve({ nonce })).payload.nonce, nonce, 'the nonce')
      },
    },
    {
      id: 'P-116',
      title: 'seals the version as the number 4',
      needs: ['user'],
      run: async (site) => equal((await site.approve()).payload.api, 4, 'api'),
    },
    {
      id: 'P-117',
      title: 'seals push as false where nothing is pushed',
      needs: ['user'],
      run: async (site) => equal((await site.approve()).payload.push, false, 'push'),
    },
    {
      id: 'P-118',
      title: 'seals the moment of expiry, in UTC to the second',
      needs: ['user'],
      async run(site) {
        const from = Date.now()
        const { payload } = await site.approve({ expires_in_seconds: '7200' })
        const at = matches(payload.expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'expires_at')
        const seconds = (Date.parse(at) - from) / 1000
        check(Math.abs(seconds - 7200) < 120, `it expires in ${seconds} s, expected 7200`)
      },
    },
    {
      id: 'P-119',
      title: 'writes the payload without spaces',
      needs: ['user'],
      async run(site) {
        const { text } = await site.approve({ nonce: 'abcdefgh' })
        equal(text.length, 74 + 8, 'the payload’s length')
      },
    },
    {
      id: 'P-120',
      title: 'keeps <, > and & in a nonce',
      needs: ['user'],
      async run(site) {
        const nonce = '<a>&"\\b'
        equal((await site.approve({ nonce })).payload.nonce, nonce, 'the nonce')
      },
    },
  ]
}

function paddingCases(): readonly Case[] {
  const paddings: readonly [Case['id'], string | undefined, Padding][] = [
    ['P-121', undefined, 'pkcs1'],
    ['P-122', 'pkcs1', 'pkcs1'],
    ['P-123', 'oaep', 'oaep'],
  ]
  return [
    ...paddings.map(
      ([id, padding, opens]): Case => ({
        id,
        title: `seals with ${opens} when ${padding ?? 'no padding'} is asked for`,
        needs: opens === 'oaep' ? ['user', 'oaep'] : ['user'],
        async run(site) {
          await site.approve({ padding }, { padding: opens })
        },
      }),
    ),
    {
      id: 'P-124',
      title: 'seals in one block as long as the key',
      needs: ['user'],
      async run(site) {
        for (const bits of [1024, 2048, 4096] as const) {
          const { pem } = await keyPair(bits)
          const sealed = await sealedFor(site, { public_key: pem })
          equal(Buffer.from(sealed.replace(/\s/g, ''), 'base64').length, bits / 8, 'the length in bytes')
        }
      },
    },
    {
      id: 'P-129',
      title: 'never seals the same text twice',
      needs: ['user'],
      async run(site) {
        const nonce = randomText()
        const one = await sealedFor(site, { nonce })
        check(one !== (await sealedFor(site, { nonce })), 'both payloads are the same')
      },
    },
  ]
}

function sizeCases(): readonly Case[] {
  const sizes = [
    { id: 'P-125', bits: 2048, largest: 171 },
    { id: 'P-126', bits: 2048, largest: 140, padding: 'oaep' },
    { id: 'P-127', bits: 1024, largest: 43 },
    { id: 'P-128', bits: 2048, largest: 135, expires_in_seconds: '60' },
  ] as const
  return sizes.map(({ id, bits, largest, ...change }) => ({
    id,
    title: `takes a nonce of ${largest} bytes with ${bits} bits${described(change)}, and not one more`,
    needs: 'padding' in change ? ['user', 'oaep'] : ['user'],
    async run(site) {
      const pair = await keyPair(bits)
      const public_key = pair.pem
      await site.approve({ ...change, public_key, nonce: 'n'.repeat(largest) }, { pair })
      const tooLong = { ...change, public_key, nonce: 'n'.repeat(largest + 1) }
      await refusedApproval(site, tooLong, [400, 'invalid_parameters'])
    },
  }))
}

function described(change: Readonly<Record<string, string>>): string {
  return 'padding' in change ? ' and oaep' : 'expires_in_seconds' in change ? ' and an expiry' : ''
}

function encodingCases(): readonly Case[] {
  return [
    {
      id: 'P-130',
      title: 'writes Base64 in the standard alphabet, padded',
      needs: ['user'],
      async run(site) {
        const text = (await sealedFor(site, {})).replace(/\n/g, '')
        matches(text, /^[A-Za-z0-9+/]+={0,2}$/, 'the payload')
        equal(text.length % 4, 0, 'the length modulo 4')
      },
    },
    {
      id: 'P-131',
      title: 'ends a line after 60 characters and at the end',
      needs: ['user'],
      async run(site) {
        for (const [bits, length] of [
          [1024, 175],
          [2048, 350],
          [4096, 696],
        ] as const) {
          const sealed = await sealedFor(site, { public_key: (await keyPair(bits)).pem })
          equal(sealed.length, length, `the length for ${bits} bits`)
          matches(sealed, /^([A-Za-z0-9+/=]{60}\n)*[A-Za-z0-9+/=]{1,60}\n$/, 'the payload')
        }
      },
    },
    {
      id: 'P-132',
      title: 'escapes the payload in a redirect',
      needs: ['user'],
      async run(site) {
        const { address } = await approveWithRedirect(site, { auth_redirect: redirects.app })
        const raw = address.split('payload=')[1] ?? ''
        matches(raw, /^(?:[A-Za-z0-9]|%2B|%2F|%3D|%0A)+$/i, 'the payload in the address')
      },
    },
    {
      id: 'P-133',
      title: 'seals a redirect’s payload like that of JSON',
      needs: ['user'],
      async run(site) {
        const pair = await keyPair()
        const { address } = await approveWithRedirect(site, { auth_redirect: redirects.app })
        const payload = JSON.parse(open(valueIn(address, 'payload'), pair)) as object
        equal(Object.keys(payload), ['key', 'nonce', 'push', 'api'], 'the payload’s fields')
      },
    },
  ]
}

async function sealedFor(site: Site, change: Readonly<Record<string, string>>): Promise<string> {
  const { browser } = await site.user()
  const answer = await browser.post('/user-api-key.json', await site.request(change))
  return matches(ok(answer).payload, /./, 'the payload', answer)
}
