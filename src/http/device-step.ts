/** What both halves of the device flow's routes share. */
import { type Refusal, refusal } from '../protocol/errors.ts'
import { refused, sealedFromCaches } from './answer.ts'
import type { Call, Service } from './service.ts'

/** A step of the device flow: an answer, or why there is none. */
export type Step = (service: Service, call: Call) => Promise<Response | Refusal>

/** The handler of a step: its answers, refusals among them, are kept by nobody on the way (protocol §1). */
export function sealed(service: Service, step: Step): (call: Call) => Promise<Response> {
  return async (call) => {
    const answer = await step(service, call)
    return sealedFromCaches(
      'reason' in answer ? refused(call.visit, answer, service.domain.settings.current().title) : answer,
    )
  }
}

/** The longest value of a code or a token that is read, in bytes: as long as a body may be. A wrong one is answered as such. */
export const bodyLimit = 65_536

/** The refusal of a step that lacks what it is about. */
export function missing(name: string, example: string): Refusal {
  return refusal('parameters_missing', { missing: name, first: name, example })
}
