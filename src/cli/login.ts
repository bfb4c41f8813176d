/** `hallpass login`: gets a key for this machine, and keeps it. */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { type Command, Option } from 'commander'
import {
  type AuthorizationOptions,
  beginAuthorization,
  type Credential,
  completeAuthorization,
  readPayloadText,
} from '../client/authorization.ts'
import { clientError } from '../client/client-errors.ts'
import { CredentialFile } from '../client/credential-file.ts'
import { authorizeWithDevice } from '../client/device.ts'
import { discover } from '../client/discover.ts'
import { authorizeWithLoopback } from '../client/loopback.ts'
import { previewAuthorization } from '../client/preview.ts'
import { HallpassError } from '../protocol/errors.ts'
import type { Padding } from '../protocol/rsaes.ts'
import type { ScopeParameters } from '../protocol/scope-parameters.ts'
import { openInBrowser } from './browser.ts'
import { parseDuration } from './duration.ts'
import { checkOffered } from './offered-scopes.ts'
import { readPasted } from './paste.ts'
import { qrCodeLines } from './qr-code.ts'
import { describeScopes, parseScopeList, parseScopeParameters, type ScopeList } from './scope-list.ts'
import { commandName, describeInstant, note, say, strong } from './terminal.ts'
import { usernameOf } from './who.ts'

interface LoginFlags {
  readonly scopes: ScopeList
  readonly scopeParameters?: ScopeParameters
  readonly name: string
  readonly browser: boolean
  readonly manual?: true
  readonly device?: true
  readonly expiresIn?: number
  readonly padding: Padding
  readonly timeout: number
}

/** Adds `login` to the program. */
export function registerLogin(program: Command): void {
  program
    .command('login')
    .summary('get a key for a site, with your approval in the browser')
    .description(
      'Makes a key pair, opens the site in your browser, and waits until you approve.\nThe key is kept on this machine, where only you can read it.',
    )
    .argument('<site>', 'the site’s address')
    .addOption(
      new Option(
        '--scopes <list>',
        "what the key may do, separated by commas; 'invoices(customer_id=12|13)' narrows a scope",
      )
        .argParser(parseScopeList)
        .default({ scopes: ['read'], scopeParameters: {} } satisfies ScopeList, 'read'),
    )
    .option(
      '--scope-parameters <json>',
      'what scopes are narrowed to, for values that do not fit into --scopes',
      parseScopeParameters,
    )
    .addOption(
      new Option('--name <name>', 'what the consent page calls this app').default(
        `Hallpass CLI on ${hostname()}`,
        `Hallpass CLI on ${hostname()}`,
      ),
    )
    .option('--no-browser', 'print the address instead of opening it')
    .option('--manual', 'have the page show the payload, and paste it here')
    .addOption(
      new Option(
        '--device',
        'show a code, and a QR code for a phone, to approve on any device with a browser',
      ).conflicts('manual'),
    )
    .option('--expires-in <time>', 'how long the key shall live, as in 12h or 30d', parseDuration)
    .addOption(
      new Option('--padding <scheme>', 'how the payload is sealed')
        .choices(['oaep', 'pkcs1'] satisfies Padding[])
        .default('oaep', 'oaep'),
    )
    .addOption(
      new Option('--timeout <time>', 'how long to wait for you').argParser(parseDuration).default(600, '10m'),
    )
    .addHelpText(
      'after',
      `
examples:
  hallpass login localhost:4000
  hallpass login https://forum.example.com --scopes read,write --expires-in 30d
  hallpass login https://shop.example.com --scopes 'shop:invoices_read(id=12|13)'
  hallpass login https://forum.example.com --manual
  hallpass login https://forum.example.com --device`,
    )
    .action(login)
}

async function login(address: string, flags: LoginFlags): Promise<void> {
  const file = new CredentialFile()
  const site = await discover(address)
  const { scopes } = flags.scopes
  const scopeParameters = { ...flags.scopes.scopeParameters, ...flags.scopeParameters }
  const isNarrowed = Object.keys(scopeParameters).length > 0
  checkOffered(site, scopes)
  if (isNarrowed && !site.narrowsScopes) {
    const whole = Object.keys(scopeParameters).join(', ')
    throw clientError('narrowing_not_offered', { site: site.baseUrl, scopes: whole })
  }
  const request: AuthorizationOptions = {
    site: site.baseUrl,
    applicationName: flags.name,
    scopes,
    ...(isNarrowed ? { scopeParameters } : {}),
    clientId: await clientIdFor(file, site.baseUrl),
    padding: flags.padding,
    ...(flags.expiresIn === undefined ? {} : { expiresInSeconds: flags.expiresIn }),
  }
  const credential = await authorize(request, flags)
  // Before anything else can fail: the site has issued the key, and will not show it again.
  await file.save(credential)
  const username = await usernameOf(credential)
  await file.save(credential, { username })
  report(credential, username)
}

function authorize(request: AuthorizationOptions, flags: LoginFlags): Promise<Credential> {
  if (flags.device) return byCode(request, flags)
  return flags.manual ? manually(request, flags) : byRedirect(request, flags)
}

/** The user approves wherever they like, with a code that is shown here. */
async function byCode(request: AuthorizationOptions, flags: LoginFlags): Promise<Credential> {
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(timedOut(flags.timeout)), flags.timeout * 1000)
  try {
    return await authorizeWithDevice({
      ...request,
      signal: limit.signal,
      showCode: ({ userCode, verificationUrl, verificationUrlWithRequest }) => {
        note(`open this address on any device:\n\n  ${verificationUrl}\n`)
        note(`and type this code:\n\n  ${strong(userCode)}\n`)
        note(`or open this link, and type the code there:\n\n  ${verificationUrlWithRequest}\n`)
        const drawn = qrCodeLines(verificationUrlWithRequest, process.stderr)
        if (drawn) note(`${drawn.map((line) => `  ${line}`).join('\n')}\n`)
        note('waiting until you approve. ctrl-c stops')
      },
    })
  } finally {
    clearTimeout(timer)
  }
}

function timedOut(seconds: number): Error {
  const waited = seconds >= 120 ? `${Math.round(seconds / 60)} minutes` : `${seconds} seconds`
  return clientError('authorization_timed_out', { waited })
}

/** The browser comes back to this machine. A site that does not allow that is asked to show the payload instead. */
async function byRedirect(request: AuthorizationOptions, flags: LoginFlags): Promise<Credential> {
  let refusedRedirect = false
  let isOpened = false
  const openBrowser = async (url: string): Promise<void> => {
    try {
      await previewAuthorization(url)
    } catch (error) {
      refusedRedirect = error instanceof HallpassError && redirectReasons.has(error.reason)
      throw error
    }
    isOpened = await showAddress(url, flags)
    note('waiting until you approve. ctrl-c stops')
    if (isOpened || !process.stdin.isTTY) return
    note('is your browser on another machine? then paste here the address that it ends at')
  }
  try {
    return await authorizeWithLoopback({
      ...request,
      openBrowser,
      timeoutMs: flags.timeout * 1000,
      // With the browser at hand nobody pastes, and a command in the background may not read from the terminal.
      pasted: (read, signal) =>
        isOpened ? untilAborted(signal) : readPasted({ read, signal, endIsAnswer: false }),
    })
  } catch (error) {
    if (!refusedRedirect) throw error
    note('this site does not send keys to a command on your machine; you can paste the payload instead')
    return manually(request, flags)
  }
}

/** `authorization_refused`: the site hides why, and the redirect is the likeliest. */
const redirectReasons: ReadonlySet<string> = new Set([
  'auth_redirect_not_allowed',
  'auth_redirect_invalid',
  'auth_redirect_not_registered',
  'authorization_refused',
])

async function manually(request: AuthorizationOptions, flags: LoginFlags): Promise<Credential> {
  const { url, pending } = await beginAuthorization(request)
  await previewAuthorization(url)
  await showAddress(url, flags)
  note('approve, copy the payload that the page shows, and paste it here. ctrl-c stops')
  const text = await readPasted({ read: (pasted) => readPayloadText(pending, pasted) })
  return completeAuthorization(pending, text)
}

async function showAddress(url: string, flags: LoginFlags): Promise<boolean> {
  const isOpened = flags.browser && (await openInBrowser(url))
  note(
    isOpened
      ? 'opening your browser. if nothing happens, go to this address:'
      : 'open this address in a browser:',
  )
  note(`\n  ${url}\n`)
  return isOpened
}

function report(credential: Credential, username: string | null): void {
  const { site, scopes, expiresAt } = credential
  const who = username === null ? '' : ` as ${strong(username)}`
  say(`signed in to ${site}${who}. this key may: ${describeScopes(credential)}.`)
  if (username === null) say('who you are there, the key’s scopes do not let it ask.')
  if (expiresAt !== null) say(`the key ends on ${describeInstant(expiresAt)}.`)
  say(`try: ${commandName()} ${suggestion(scopes)}`)
}

function suggestion(scopes: readonly string[]): string {
  if (scopes.some((scope) => ['read', 'write', 'session_info'].includes(scope))) {
    return 'call GET /session/current.json'
  }
  return scopes.includes('notifications') ? 'call GET /notifications.json' : 'sites'
}

/** The same for every login to a site, so that a new key replaces the old one instead of piling up beside it. */
async function clientIdFor(file: CredentialFile, site: string): Promise<string> {
  const kept = await file.find(site)
  if (!kept) return `hallpass-cli-${randomUUID()}`
  return kept.state === 'active' ? kept.credential.clientId : kept.clientId
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
