/** What both halves of the device flow's routes share. */
import { type Refusal, refusal } from '../protocol/errors.ts'
import { refused } from './answer.ts'
import type { Call, Service } from './service.ts'

/** A step of the device flow: an answer, or why there is none. */
export type Step = (service: Service, call: Call) => Promise<Response | Refusal>

/** The handler of a step, which puts its refusals into words. */
export function answering(service: Service, step: Step): (call: Call) => Promise<Response> {
  return async (call) => {
    const answer = await step(service, call)
    const { title } = service.domain.settings.current()
    return 'reason' in answer ? refused(call.visit, answer, title) : answer
  }
}

/** The longest value of a code or a token that is read, in bytes: as long as a body may be. A wrong one is answered as such. */
export const longestValue = 65_536

/** The refusal of a step that lacks what it is about. */
export function missing(name: string, example: string): Refusal {
  return refusal('parameters_missing', { missing: name, first: name, example })
}
