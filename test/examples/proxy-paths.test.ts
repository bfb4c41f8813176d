/** The list of Hallpass's own paths, which stands in docs/forward-auth.md, against the routes and the configurations. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { createAllRoutes } from '../../src/http/all-routes.ts'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const [sent = [], kept = []] = read('docs/forward-auth.md')
  .replace(/^[\s\S]*## The paths that are Hallpass/, '')
  .replace(/\n## [\s\S]*$/, '')
  .split('These stay the application')
  .map((part) =>
    [...part.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = '']) => cell.match(/\/[^`]+/g) ?? []),
  )

/** Nothing is called: this is about which routes there are when all of them are. */
const unused = {} as never
const router = createAllRoutes({ calendarFeeds: [unused] } as never, {
  hasAccounts: true,
  sessions: unused,
  externalSignIn: unused,
  startSession: unused,
})
const routes = [...new Set(router.routes.map(({ path }) => path))]

function matches(glob: string, path: string): boolean {
  const pattern = glob.split('*').map((part) => part.replace(/[.]/g, '\\.'))
  return new RegExp(`^${pattern.join('.+')}$`).test(path)
}

/** What each configuration takes for Hallpass's. */
const configurations: readonly [file: string, patterns: readonly RegExp[]][] = [
  ['nginx.conf', found('nginx.conf', /location ~ (\S+) \{ include/g)],
  ['Caddyfile', found('Caddyfile', /@hallpass path_regexp (\S+)/g)],
  ['haproxy.cfg', found('haproxy.cfg', /acl for_hallpass path -m reg (\S+)/g)],
  ['traefik.yml', found('traefik.yml', /PathRegexp\(`(\^\/\(.*)`\)/g)],
  // Envoy's match the whole path.
  [
    'envoy.yaml',
    found('envoy.yaml', /regex: '(.*\(user.*)'/g).map(({ source }) => new RegExp(`^(?:${source})$`)),
  ],
]

function found(file: string, pattern: RegExp): RegExp[] {
  return [...read(`examples/proxies/${file}`).matchAll(pattern)].map(([, regex = '']) => new RegExp(regex))
}

describe('the paths that are Hallpass’s', () => {
  test('are listed, every one', () => {
    assert.ok(routes.length > 40)
    const unlisted = routes.filter((route) => {
      const path = route.replaceAll(/:\w+/g, 'x')
      return ![...sent, ...kept].some((glob) => matches(glob, path))
    })
    assert.deepEqual(unlisted, [], 'add them to the tables of docs/forward-auth.md, and to examples/proxies')
  })

  test('are listed while they exist', () => {
    const gone = [...sent, ...kept].filter(
      (glob) => !routes.some((route) => matches(glob, route.replaceAll(/:\w+/g, 'x'))),
    )
    assert.deepEqual(gone, [])
  })

  for (const [file, patterns] of configurations) {
    const isHallpass = (path: string): boolean => patterns.some((pattern) => pattern.test(path))

    test(`are sent to Hallpass by ${file}`, () => {
      for (const glob of sent) {
        const path = glob.replaceAll('*', 'x')
        for (const one of [path, `${path}.json`]) assert.ok(isHallpass(one), one)
      }
    })

    test(`are all that ${file} sends there`, () => {
      const others = [
        '/',
        '/sessions',
        '/login-help',
        '/user-api-keys',
        '/oauth2',
        '/hallpassport',
        '/u/x',
        '/x/session',
      ]
      const administration = kept.map((glob) => glob.replaceAll('*', 'x'))
      for (const path of [...others, ...administration]) assert.ok(!isHallpass(path), path)
    })
  }
})

describe('configurations that no test runs', () => {
  for (const file of ['traefik.yml', 'envoy.yaml']) {
    test(`${file} can be read`, () => {
      assert.equal(typeof parse(read(`examples/proxies/${file}`)), 'object')
    })
  }
})
