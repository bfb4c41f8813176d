/** Where a program on the user's own machine keeps its keys, between one run and the next. */

import { randomUUID } from 'node:crypto'
import { chmod, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Credential } from './authorization.ts'
import { clientError } from './client-errors.ts'
import {
  emptyCredentials,
  type KeptCredential,
  type KeptCredentials,
  parseCredentials,
} from './kept-credentials.ts'
import { siteAddress } from './site-address.ts'

export interface CredentialFileOptions {
  /** The folder's name under the user's configuration folder. Default `hallpass`, which the command uses. */
  readonly application?: string
  /** The whole path of the file, instead. */
  readonly path?: string
}

/**
 * A JSON file that only its owner may read (mode 0600, in a folder of mode 0700), with the keys for any number of
 * sites, one of which is the default. It is replaced as a whole, so that a crash leaves the old file or the new one.
 * A file that others may read is closed to them when it is next used. Every method reads the file anew.
 * Reason: `credential_file_unreadable`.
 */
export class CredentialFile {
  readonly path: string

  constructor({ application = 'hallpass', path }: CredentialFileOptions = {}) {
    this.path = path ?? join(configurationFolder(), application, 'credentials.json')
  }

  /** What is kept for every site, the revoked keys' traces included, in the order of the sites' addresses. */
  async list(): Promise<readonly KeptCredential[]> {
    const { sites } = await this.#read()
    return Object.values(sites).toSorted((one, other) => (one.site < other.site ? -1 : 1))
  }

  /** What is kept for `site`, or for the default site (the only one is it as well); undefined when that is nothing. */
  async find(site?: string): Promise<KeptCredential | undefined> {
    const { sites, defaultSite } = await this.#read()
    if (site !== undefined) return sites[siteAddress(site)]
    const [only, ...others] = Object.values(sites)
    return (defaultSite === null ? undefined : sites[defaultSite]) ?? (others.length === 0 ? only : undefined)
  }

  /** The key for `site`, or for the default site; undefined when there is none or it was revoked. */
  async credential(site?: string): Promise<Credential | undefined> {
    const kept = await this.find(site)
    return kept?.state === 'active' ? kept.credential : undefined
  }

  /** The site that is meant when none is named: the one that a key was saved for last. */
  async defaultSite(): Promise<string | null> {
    return (await this.#read()).defaultSite
  }

  /** Keeps a key, in place of what was kept for its site, and makes that site the default. */
  async save(
    credential: Credential,
    { username }: { readonly username?: string | null } = {},
  ): Promise<void> {
    const { site } = credential
    await this.#change(({ sites }) => ({
      defaultSite: site,
      sites: { ...sites, [site]: { state: 'active', site, username: username ?? null, credential } },
    }))
  }

  /** Forgets the key for `site`, and remembers that it was revoked and when. Nothing happens when none is kept. */
  async markRevoked(site: string, revokedAt: Date): Promise<void> {
    const kept = await this.find(site)
    if (kept?.state !== 'active') return
    const { clientId, applicationName } = kept.credential
    const trace: KeptCredential = {
      state: 'revoked',
      site: kept.site,
      username: kept.username,
      clientId,
      applicationName,
      revokedAt: revokedAt.toISOString(),
    }
    await this.#change((kept) => ({ ...kept, sites: { ...kept.sites, [trace.site]: trace } }))
  }

  /** Forgets `site` altogether. */
  async remove(site: string): Promise<void> {
    const removed = siteAddress(site)
    await this.#change(({ sites, defaultSite }) => ({
      defaultSite: defaultSite === removed ? null : defaultSite,
      sites: Object.fromEntries(Object.entries(sites).filter(([each]) => each !== removed)),
    }))
  }

  async #read(): Promise<KeptCredentials> {
    try {
      await this.#closeToOthers()
      const kept = parseCredentials(await readFile(this.path, 'utf8'))
      if (kept) return kept
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return emptyCredentials
      throw this.#unusable(codeOf(error) ?? String(error), 'check who owns it, and its mode (0600)', error)
    }
    throw this.#unusable('its content is damaged', 'move it away, then authorize again')
  }

  async #change(change: (kept: KeptCredentials) => KeptCredentials): Promise<void> {
    const text = `${JSON.stringify({ version: 1, ...change(await this.#read()) }, null, 2)}\n`
    try {
      await mkdir(dirname(this.path), { recursive: true, mode: 0o700 })
      // People who keep their configuration elsewhere put a link here; a rename would replace the link.
      const target = await realpath(this.path).catch(() => this.path)
      await replaceFile(target, text)
    } catch (error) {
      throw this.#unusable(
        codeOf(error) ?? String(error),
        'check that the folder is yours to write to',
        error,
      )
    }
  }

  /** Windows has no such modes: there a user's own folder is closed to others by inheritance. */
  async #closeToOthers(): Promise<void> {
    if (process.platform === 'win32') return
    const { mode } = await stat(this.path)
    if ((mode & 0o077) !== 0) await chmod(this.path, 0o600)
  }

  #unusable(problem: string, remedy: string, cause?: unknown): Error {
    return clientError('credential_file_unreadable', { path: this.path, problem, remedy }, { cause })
  }
}

/** The file is complete, and on the disk, before it takes its name. */
async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** The XDG Base Directory's folder everywhere but on Windows; command-line programs on macOS keep to it as well. */
function configurationFolder(): string {
  const { XDG_CONFIG_HOME: xdg, APPDATA: roaming } = process.env
  if (process.platform === 'win32' && roaming) return roaming
  // The specification has relative paths ignored.
  return xdg?.startsWith('/') ? xdg : join(homedir(), '.config')
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
