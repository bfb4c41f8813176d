import { type Refusal, refusal } from '../protocol/errors.ts'
import type { ScopeCatalogue } from '../protocol/scopes.ts'
import { defaultSettings, formatSetting, isSettingName, parseSetting } from '../protocol/setting-values.ts'
import type { SettingName, Settings } from '../protocol/settings.ts'
import { commit } from './commit.ts'
import type { Actor } from './events.ts'
import type { Domain, SettingsReader } from './ports.ts'
import type { SettingRecord, Store } from './store.ts'

/** Values that the configuration of this server fixes, in the wire's text form. */
export type PinnedSettings = Readonly<Partial<Record<SettingName, string>>>

/** The settings in memory: the catalogue's defaults, what the store holds, and what the configuration pins over both. */
export class SiteSettings implements SettingsReader {
  readonly #store: Store
  readonly #scopes: ScopeCatalogue
  readonly #pinned: PinnedSettings
  #current: Settings = defaultSettings()
  /** Grows with every change that was heard of. What was read before one must not take its place. */
  #heard = 0

  /** @throws TypeError for a pinned value that the catalogue does not accept */
  constructor(store: Store, scopes: ScopeCatalogue, pinned: PinnedSettings = {}) {
    this.#store = store
    this.#scopes = scopes
    this.#pinned = pinned
    for (const [name, text] of Object.entries(pinned)) {
      const read = isSettingName(name) ? parseSetting(name, text, scopes) : undefined
      if (read?.outcome !== 'parsed') {
        throw new TypeError(read ? read.refusal.message : `there is no setting named ${name}`)
      }
    }
  }

  current(): Settings {
    return this.#current
  }

  isPinned(name: string): boolean {
    return Object.hasOwn(this.#pinned, name)
  }

  /**
   * Reads the store again. A stored value that this version does not accept gives way to the default: a server that
   * came to know stricter limits must still start.
   */
  async load(): Promise<void> {
    let heard: number
    let stored: readonly SettingRecord[]
    do {
      heard = this.#heard
      stored = await this.#store.settings.all()
    } while (heard !== this.#heard)
    this.#current = defaultSettings()
    for (const { name, value } of stored) this.#take(name, value)
    for (const [name, text] of Object.entries(this.#pinned)) this.#take(name, text)
  }

  /** Takes over one setting from its text, as a change that was just committed gives it. */
  apply(name: string, text: string): void {
    this.#heard += 1
    this.#take(name, text)
  }

  #take(name: string, text: string): void {
    const read = isSettingName(name) ? parseSetting(name, text, this.#scopes) : undefined
    if (read?.outcome === 'parsed') this.#current = { ...this.#current, [name]: read.value }
  }
}

/** Changes one setting from the wire's text. Reasons: `not_found`, `setting_pinned`, `setting_invalid`. */
export async function changeSetting(
  domain: Domain,
  actor: Actor,
  name: string,
  text: string,
): Promise<{ readonly outcome: 'changed' } | { readonly outcome: 'refused'; readonly refusal: Refusal }> {
  if (!isSettingName(name)) {
    return {
      outcome: 'refused',
      refusal: refusal('not_found', { what: `setting named ${name.slice(0, 100)}` }),
    }
  }
  if (domain.settings.isPinned(name))
    return { outcome: 'refused', refusal: refusal('setting_pinned', { name }) }
  const read = parseSetting(name, text, domain.scopes)
  if (read.outcome === 'refused') return read
  const from = formatSetting(name, domain.settings.current()[name])
  const to = formatSetting(name, read.value)
  // Setting the value that is there already keeps it from changing with a new default; the audit log has no change.
  await commit(domain, actor, async (session) => {
    await session.settings.put({ name, value: to, updatedAt: domain.clock.now() })
    return { result: undefined, events: from === to ? [] : [{ type: 'setting_changed', name, from, to }] }
  })
  return { outcome: 'changed' }
}
