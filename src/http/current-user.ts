/** Who is signed in, in the words of `/session/current.json`, and the short way to that answer. */
import type { Identity } from '../domain/identity.ts'
import type { PlainAnswer, PlainQuestion } from '../domain/plain-answer.ts'
import type { User } from '../domain/user.ts'
import type { Refusal } from '../protocol/errors.ts'
import { noQuery } from '../protocol/query.ts'
import type { RequestedRoute } from '../protocol/route-matcher.ts'
import { routeName } from '../protocol/route-name.ts'
import { decideNow, warmUserApiKey } from '../verify/authenticate-user-api-key.ts'
import { readCredentials } from '../verify/credentials.ts'
import { limitAddress } from '../verify/request-limits.ts'
import { jsonHeaders } from './answer.ts'
import { callerHeaders } from './caller-headers.ts'
import { isCorsOn } from './cors.ts'
import type { Service } from './service.ts'
import { wireUserId } from './user-json.ts'

/**
 * The answer to `GET /session/current.json` by a key that is known, or why it is refused. Undefined where anything has to
 * be looked up, and where pages of other sites may read the answer; nothing is counted then.
 */
export function answerCurrentUserNow(
  { domain, verifier, currentUserFields }: Service,
  question: PlainQuestion,
  address: string | null,
): PlainAnswer | Refusal | undefined {
  if (currentUserFields !== undefined || isCorsOn(domain.settings.current())) return undefined
  const credentials = readCredentials(question.headers, noQuery, false)
  const known = warmUserApiKey(verifier, credentials)
  if (!known) return undefined
  const limited = limitAddress(domain, address)
  if (limited) return limited
  const asked = { route: currentUserRoute, credentials, revocationId: undefined, address, request: question }
  const authentication = decideNow(verifier, known, asked)
  if (authentication.outcome === 'refused') return authentication.refusal
  return authentication.outcome === 'authenticated' ? currentUserAnswer(authentication.identity) : undefined
}

const currentUserPath = '/session/current.json'

/** What the route is called where requests are told of. */
export const currentUserRouteName: string = routeName('GET', '/session/current')

const currentUserRoute: RequestedRoute = {
  method: 'GET',
  path: '/session/current',
  format: 'json',
  rawPath: currentUserPath,
  query: noQuery.parameters,
}

/** For as long as an identity is in memory, and no longer: who changes is another. */
const currentUserAnswers = new WeakMap<Identity, PlainAnswer>()

function currentUserAnswer(identity: Identity): PlainAnswer {
  let answer = currentUserAnswers.get(identity)
  if (!answer) {
    const body = JSON.stringify({ current_user: userFields(identity.user) })
    const headers = { ...jsonHeaders, ...callerHeaders(identity, 'session/current') }
    answer = {
      headers: [
        ...Object.entries(headers).sort(),
        ['content-length', String(Buffer.byteLength(body))],
      ].flat(),
      body,
    }
    currentUserAnswers.set(identity, answer)
  }
  return answer
}

/** Whether a request's first line names what {@link answerCurrentUserNow} answers. */
export function isCurrentUserTarget(target: string): boolean {
  return target === currentUserPath
}

/** A user as `/session/current.json` and a sign-in tell it (protocol §17). */
export async function currentUserJson(service: Service, user: User): Promise<Record<string, unknown>> {
  return { ...userFields(user), ...(await service.currentUserFields?.(user)) }
}

function userFields(user: User): Record<string, unknown> {
  return {
    id: wireUserId(user.id),
    username: user.username,
    name: user.name,
    avatar_template: '',
    admin: user.admin,
    moderator: user.moderator,
    trust_level: user.trustLevel,
    unread_notifications: 0,
  }
}
