/** Clients that register themselves (protocol §7): for programs only, without a session and without a CSRF token. */
import { checkRegistered, registerClient } from '../domain/registered-clients.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { readParameters } from '../protocol/parameters.ts'
import { empty, refused, success } from './answer.ts'
import { actorOf, type Call, type Router, routesOf, type Service } from './service.ts'

export function addClientRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)

  route('GET', '/user-api-key-client', { who: 'anyone' }, async (call) => {
    const read = readParameters({ query: call.visit.url.searchParams }, { client_id: { limit: 1000 } })
    if (read.outcome === 'refused') return refuse(service, call, read.refusal)
    const { client_id: clientId } = read.values
    if (clientId === undefined) return refuse(service, call, missingClientId(service.baseUrl(call.visit)))
    const problem = await checkRegistered(service.domain.store, clientId)
    return problem ? refuse(service, call, problem) : empty()
  })

  route('POST', '/user-api-key-client', { who: 'unchecked' }, async (call) => {
    const outcome = await registerClient(service.domain, actorOf(call), call.sources)
    return outcome.outcome === 'refused' ? refuse(service, call, outcome.refusal) : success()
  })
}

function missingClientId(baseUrl: string): Refusal {
  const example = `${baseUrl}/user-api-key-client?client_id=CLIENT_ID`
  return refusal('parameters_missing', { missing: 'client_id', first: 'client_id', example })
}

function refuse(service: Service, { visit }: Call, why: Refusal): Response {
  return refused(visit, why, service.domain.settings.current().title)
}
