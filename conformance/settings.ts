import { skip } from './expect.ts'
import type { Visitor } from './visitor.ts'

/** The site's settings, changed for a while and put back. Lists are one text with `|` between the items. */
export class SiteSettings {
  #admin: Visitor | undefined
  readonly #original = new Map<string, string>()
  readonly #current = new Map<string, string>()

  constructor(admin: Visitor | undefined) {
    this.#admin = admin
  }

  /** Reads them; without an administrator there are none. */
  async load(): Promise<void> {
    const answer = await this.#admin?.get('/admin/site_settings.json')
    const { site_settings: listed = [] } = (answer?.json ?? {}) as {
      site_settings?: { setting: string; value: unknown }[]
    }
    for (const { setting, value } of listed) this.#original.set(setting, String(value ?? ''))
    for (const [name, value] of this.#original) this.#current.set(name, value)
  }

  /** A setting's value; undefined for one that the site does not show. */
  value(name: string): string | undefined {
    return this.#current.get(name)
  }

  /** Sets some while `run` runs, and puts them back however it ends. Skips the case when the site does not have them. */
  async with<Result>(values: Readonly<Record<string, string>>, run: () => Promise<Result>): Promise<Result> {
    const before = Object.keys(values).map((name): [string, string] => {
      const value = this.#current.get(name)
      return [name, value ?? skip(`the site does not show the setting ${name}`)]
    })
    try {
      for (const [name, value] of Object.entries(values)) await this.set(name, value)
      return await run()
    } finally {
      for (const [name, value] of before) await this.set(name, value)
    }
  }

  /** Lets another administrator do it for a while: one whom the limit of API keys does not concern. */
  async by<Result>(admin: Visitor, run: () => Promise<Result>): Promise<Result> {
    const before = this.#admin
    this.#admin = admin
    try {
      return await run()
    } finally {
      this.#admin = before
    }
  }

  /** Sets one until `restore`. Skips the case when the site does not let it be changed. */
  async set(name: string, value: string): Promise<void> {
    if (this.#admin === undefined) skip('it needs an administrator')
    if (this.#current.get(name) === value) return
    const answer = await this.#admin.put(`/admin/site_settings/${name}.json`, { [name]: value })
    if (answer.status !== 200) skip(`the setting ${name} cannot be changed (status ${answer.status})`)
    this.#current.set(name, value)
  }

  /** Puts back all that is not as it was found. Answers with the names of those that could not be. */
  async restore(): Promise<readonly string[]> {
    const stuck: string[] = []
    for (const [name, value] of this.#original) {
      if (this.#current.get(name) === value) continue
      try {
        await this.set(name, value)
      } catch {
        stuck.push(name)
      }
    }
    return stuck
  }
}
