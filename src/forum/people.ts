import type { Directory } from '../domain/ports.ts'
import type { User } from '../domain/user.ts'

/** The author of what the forum writes itself. No directory knows this id, so nobody can sign in as it. */
export const systemUser: User = {
  id: '-1',
  username: 'system',
  name: 'system',
  admin: true,
  moderator: true,
  trustLevel: 4,
  active: true,
  suspendedUntil: null,
  createdAt: 0,
}

/** Who an id belongs to, for ids that were looked up before. */
export type PersonOf = (id: string) => User

/**
 * Looks up everybody in `ids`, each once. The function that it resolves to knows those people; it answers with a
 * nameless stand-in for a user whom the directory no longer has.
 */
export async function loadPeople(directory: Directory, ids: Iterable<string>): Promise<PersonOf> {
  const people = new Map<string, User>([[systemUser.id, systemUser]])
  const wanted = [...new Set(ids)].filter((id) => !people.has(id))
  await Promise.all(
    wanted.map(async (id) => {
      const user = await directory.findUserById(id)
      if (user !== undefined) people.set(id, user)
    }),
  )
  return (id) => people.get(id) ?? { ...systemUser, ...nobody, id }
}

/** Finds a user by a name that anybody may have typed; undefined when there is none, `system` included. */
export async function findPerson(directory: Directory, username: string): Promise<User | undefined> {
  if (username.length > 255 || /\p{Cc}/u.test(username)) return undefined
  const found = await directory.findUserByUsername(username)
  return found ?? (username.toLowerCase() === systemUser.username ? systemUser : undefined)
}

/** A user's id as the wire has it: a number where the id is one, else the text. */
export function wireUserId(id: string): number | string {
  return /^-?[1-9]\d{0,14}$/.test(id) ? Number(id) : id
}

/** The address of a user's picture, in which `{size}` stands for its width in pixels. */
export function avatarTemplate(username: string): string {
  return `/forum/avatar/${encodeURIComponent(username.toLowerCase())}/{size}.svg`
}

const nobody = { username: 'gone', name: '', admin: false, moderator: false, trustLevel: 0, active: false }
