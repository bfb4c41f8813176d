/** The server's process. Which site it guards is in `guarded-site.ts`. */
import { randomBytes } from 'node:crypto'
import { type ListeningServer, listenWith, type NodeListeners } from '../edge/node-server.ts'
import { HallpassError } from '../protocol/errors.ts'
import type { Hallpass } from '../server/hallpass.ts'
import { storeOn } from '../storage/open-store.ts'
import { openGuardedSite, siteKind } from './guarded-site.ts'
import { openDatabase } from './open-data.ts'
import type { ServeOptions } from './serve-options.ts'

/** A server that runs until it is told to stop. */
export async function runServer(options: ServeOptions): Promise<void> {
  // The port comes first: a start that fails for want of it must not have made, and hidden, the first password.
  const opened = Promise.withResolvers<NodeListeners>()
  const server = await listenOrExplain(onceOpen(opened.promise), options)
  const address = options.baseUrl ?? `http://${shownHost(options.host)}:${server.port}`
  const { site, location, first, close } = await openSite(address, options).catch(async (error: unknown) => {
    await server.close(0)
    throw error
  })
  // Before the greeting, because whoever has read it may stop the server at once.
  const stopped = stopSignal()
  process.stdout.write(greeting(address, options, { location, first }))
  opened.resolve(site)

  await stopped
  process.stdout.write('stopping\n')
  await server.close()
  await close()
}

/** Hallpass and its site on its database, and, on an empty one, the first administrator. */
async function openSite(
  address: string,
  options: ServeOptions,
): Promise<{
  site: NodeListeners
  /** Where the data is, without a password. */
  location: string
  first: FirstAdministrator | undefined
  close: () => Promise<void>
}> {
  const database = await openDatabase(options)
  const store = await storeOn(database)
  const { hallpass, listeners } = await openGuardedSite(database, store, address, options)
  // Last, so that whatever else can fail has not: the password is shown once.
  const first =
    (await store.accounts.count()) === 0 ? await makeFirstAdministrator(hallpass, options) : undefined
  const close = async (): Promise<void> => {
    await hallpass.close()
    await store.close()
  }
  const location = options.database === undefined ? options.data : database.location
  return { site: listeners, location, first, close }
}

/** Listeners that wait for `site` and then are it. */
function onceOpen(site: Promise<NodeListeners>): NodeListeners {
  let open: NodeListeners | undefined
  site.then(
    (opened) => {
      open = opened
    },
    // The start has failed, and says so elsewhere.
    () => {},
  )
  return {
    request: (incoming, outgoing) => void site.then((opened) => opened.request(incoming, outgoing)),
    upgrade: (incoming, socket, head) => void site.then((opened) => opened.upgrade(incoming, socket, head)),
    shouldUpgrade: (incoming) => open?.shouldUpgrade(incoming) ?? false,
    breakOff: () => open?.breakOff(),
  }
}

interface FirstAdministrator {
  readonly username: string
  /** Undefined when the configuration brought it: then it is known already. */
  readonly password: string | undefined
}

async function makeFirstAdministrator(
  hallpass: Hallpass,
  { admin }: ServeOptions,
): Promise<FirstAdministrator> {
  const password = admin.password ?? randomBytes(12).toString('base64url')
  const outcome = await hallpass.createAccount({
    username: admin.username,
    password,
    name: '',
    email: '',
    admin: true,
  })
  if (outcome.outcome === 'refused') {
    const { message, reason } = outcome.refusal
    const remedy = 'mend HALLPASS_ADMIN_USERNAME or HALLPASS_ADMIN_PASSWORD and start again'
    throw new HallpassError(reason, `the first administrator cannot be made: ${message}`, remedy)
  }
  if (admin.apiKey !== undefined) {
    const description = 'from HALLPASS_ADMIN_API_KEY'
    await hallpass.createApiKey({ user: undefined, description, route: 'bootstrap', text: admin.apiKey })
  }
  return { username: admin.username, password: admin.password === undefined ? password : undefined }
}

async function listenOrExplain(
  listeners: NodeListeners,
  { port, host, upstream }: ServeOptions,
): Promise<ListeningServer> {
  try {
    // An upload to the application takes as long as it takes; the gateway ends one that stands still.
    const timeout = upstream === undefined ? {} : { requestTimeoutMs: 0 }
    return await listenWith(listeners, { port, host, ...timeout })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const remedies: Readonly<Record<string, string>> = {
      EADDRINUSE: `stop the program that listens there, or choose another port: hallpass serve --port ${port + 1}`,
      EACCES: 'choose a port above 1023: hallpass serve --port 4000',
      EADDRNOTAVAIL: 'choose an address of this machine: hallpass serve --host 127.0.0.1',
    }
    const remedy = remedies[String(code)]
    if (remedy === undefined) throw error
    throw new HallpassError('cannot_listen', `cannot listen on ${host} port ${port} (${code})`, remedy, {
      cause: error,
    })
  }
}

function greeting(
  address: string,
  options: ServeOptions,
  { location, first }: { readonly location: string; readonly first: FirstAdministrator | undefined },
): string {
  const password =
    first?.password === undefined ? '' : `\n  password       ${first.password}   (shown this once)`
  return `hallpass is running

  address        ${address}
  administrator  ${first?.username ?? options.admin.username}${password}
  data           ${location}${options.upstream === undefined ? '' : `\n  in front of    ${options.upstream}`}

${siteKind(options) === 'forum' ? nextSteps(address) : ''}ctrl-c stops it
`
}

function nextSteps(address: string): string {
  return `next, in another terminal:

  npx hallpass login ${address} --scopes read,write --name "My app"
  npx hallpass call POST /posts.json title="Hello from an app" raw="Written with a user API key."
  npx hallpass logout

`
}

/** The wildcard addresses are no addresses to visit. */
function shownHost(host: string): string {
  if (['127.0.0.1', '0.0.0.0', '::', '::1'].includes(host)) return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })
}
