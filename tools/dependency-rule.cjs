/**
 * Who may import whom (docs/architecture.md). `npm run check` runs dependency-cruiser with this; test/tools proves that
 * it refuses what it must.
 *
 *     protocol <- domain <- storage | verify | identity | pages <- http | edge <- server <- testing | forum <- cli
 *
 * What stands left of an arrow is imported by what stands right of it. Rooms parted by `|` do not import each other.
 */
const rooms = {
  protocol: [],
  domain: ['protocol'],
  storage: ['protocol', 'domain'],
  verify: ['protocol', 'domain'],
  identity: ['protocol', 'domain'],
  pages: ['protocol', 'domain'],
  http: ['protocol', 'domain', 'storage', 'verify', 'identity', 'pages'],
  edge: ['protocol', 'domain', 'storage', 'verify', 'identity', 'pages'],
  server: ['protocol', 'domain', 'storage', 'verify', 'identity', 'pages', 'http', 'edge'],
  forum: ['protocol', 'domain', 'storage', 'verify', 'identity', 'pages', 'http', 'edge', 'server'],
  // For a site owner's own tests: what a site owner has, and nothing that serves people.
  testing: ['protocol', 'domain', 'storage', 'verify', 'identity', 'pages', 'http', 'edge', 'server'],
  // Uses the client like any app does, and the server like any site owner does.
  cli: [
    'protocol',
    'domain',
    'storage',
    'verify',
    'identity',
    'pages',
    'http',
    'edge',
    'server',
    'forum',
    'client',
  ],
  client: ['protocol'],
}

/** One rule a room: what it may import is itself and the rooms in its list. */
const roomRules = Object.entries(rooms).map(([room, mayImport]) => ({
  name: `${room}-imports-only-what-it-may`,
  comment: `src/${room}/ may import ${['itself', ...mayImport].join(', ')} and no other room`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: `^src/(${[room, ...mayImport].join('|')})/` },
}))

/** The ways to stand in front of an application, each an export of its own. */
const adapters = '^src/edge/(express|fastify|hono|node|web)\\.ts$'

const addressRanges = '^src/domain/address\\.ts$'

module.exports = {
  forbidden: [
    ...roomRules,
    {
      name: 'every-file-has-a-room',
      comment: 'every module of src/ is in one of the rooms, so that no rule is walked around',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: `^src/(${Object.keys(rooms).join('|')})/` },
    },
    {
      name: 'protocol-is-pure',
      comment: 'src/protocol/ uses no package and nothing of Node, so that it runs in a browser',
      severity: 'error',
      from: { path: '^src/protocol/' },
      to: { pathNot: '^src/' },
    },
    {
      name: 'client-uses-no-package',
      comment: 'whoever installs hallpass for its client gets no other package with it',
      severity: 'error',
      from: { path: '^src/client/' },
      to: { path: 'node_modules' },
    },
    {
      name: 'client-runs-anywhere',
      comment:
        'nothing that hallpass/client reaches uses Node; what needs Node is in hallpass/client/node alone',
      severity: 'error',
      from: { path: '^src/client/client\\.ts$' },
      to: { reachable: true, pathNot: '^src/(client|protocol)/' },
    },
    {
      name: 'domain-decides-without-io',
      comment:
        'src/domain/ meets the world through its ports: of Node it uses node:crypto alone, and no package',
      severity: 'error',
      from: { path: '^src/domain/', pathNot: addressRanges },
      to: { pathNot: '^(src/|(node:)?crypto$)' },
    },
    {
      name: 'address-ranges-compare-alone',
      comment:
        'src/domain/address.ts holds addresses against ranges with node:net’s BlockList, which opens nothing',
      severity: 'error',
      from: { path: addressRanges },
      to: { pathNot: '^(node:)?net$' },
    },
    {
      name: 'sql-lives-in-storage',
      comment:
        'all the SQL of Hallpass is in src/storage/; the forum, a site like any other, keeps its own tables',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(storage|forum)/' },
      to: { path: '(^|/|^node:)(kysely|sqlite|pg)(/|$)', pathNot: '^src/' },
    },
    {
      name: 'adapters-stand-alone',
      comment: 'whoever uses Hallpass with one framework gets nothing of the others',
      severity: 'error',
      from: { path: adapters },
      to: { path: adapters, pathNot: '^src/edge/$1\\.ts$' },
    },
    {
      name: 'frameworks-are-peers',
      comment:
        'a framework is the application’s own copy: an adapter imports its types, which are gone when it runs',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: 'node_modules/(express|fastify)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-circles',
      comment: 'modules that import one another in a circle cannot be read, or tested, one at a time',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'every-import-resolves',
      comment: 'what is imported is there, and is in package.json',
      severity: 'error',
      from: { path: '^(src|conformance)/' },
      to: {
        dependencyTypes: ['unknown', 'undetermined', 'npm-no-pkg', 'npm-unknown', 'npm-dev'],
        // The tests run them, the package leaves them to the application: see frameworks-are-peers.
        pathNot: 'node_modules/(express|fastify)/',
      },
    },
    {
      name: 'src-stands-alone',
      comment: 'what is published uses nothing of the tests, the tools or the examples',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|tools|examples|bench)/' },
    },
    {
      name: 'bench-stands-alone',
      comment: 'what is measured is what is published, and not what the tests make of it',
      severity: 'error',
      from: { path: '^bench/' },
      to: { path: '^(test|tools|examples|conformance)/' },
    },
    {
      name: 'conformance-stands-alone',
      comment:
        'the suite tries a server from outside: it uses Node alone, so that nothing is tested with its own code',
      severity: 'error',
      from: { path: '^conformance/' },
      to: { path: '^(src|test|tools|examples|bench)/|node_modules' },
    },
    {
      name: 'only-the-command-runs-conformance',
      comment: 'of what is published, the command alone reaches the suite',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/conformance\\.ts$' },
      to: { path: '^conformance/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
