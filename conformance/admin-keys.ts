/** Administrators' API keys that cases make. */
import { fields, ok } from './expect.ts'
import type { Site } from './site.ts'
import type { Visitor } from './visitor.ts'

export type Json = Readonly<Record<string, unknown>>

export interface MadeKey extends Json {
  readonly id: number
  readonly key: string
}

/** The routes of §11. */
export const keysPath = '/admin/api/keys'

/** Makes a key, and answers with it. */
export async function makeKey(site: Site, key: Json = {}): Promise<MadeKey> {
  const json = { key: { description: 'conformance', ...key } }
  const made = ok(await site.admin().ask(`${keysPath}.json`, { json })).key
  fields(made, ['id', 'key'], 'the key')
  return made as MadeKey
}

/** A program that sends such a key for the first user. */
export async function program(site: Site, { key }: { readonly key: string }): Promise<Visitor> {
  const { username } = await site.user()
  return site.program({ 'Api-Key': key, 'Api-Username': username })
}
