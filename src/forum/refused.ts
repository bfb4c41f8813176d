import { type Reason, type Refusal, type RefusalDetails, refusal } from '../protocol/errors.ts'

/**
 * Thrown when the forum cannot do what was asked; `createForum` turns it into an answer in one place. A route of the
 * forum reads and checks in several layers, so a throw keeps each of them to its own subject.
 */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly refusal: Refusal

  constructor(refused: Refusal) {
    super(refused.message)
    this.refusal = refused
  }
}

/** Ends the request with the refusal for `reason`. Always throws a {@link RefusedError}. */
export function refuse<R extends Reason>(
  reason: R,
  ...details: [keyof RefusalDetails<R>] extends [never] ? [] : [RefusalDetails<R>]
): never {
  throw new RefusedError(refusal(reason, ...details))
}

/** Ends the request with 404; `what` completes the sentence «there is no …». */
export function refuseNotFound(what: string): never {
  return refuse('not_found', { what })
}

/** Ends the request with 422: `field` holds what cannot be stored, and `problem` says so in a sentence. */
export function refuseInvalid(field: string, problem: string): never {
  return refuse('record_invalid', { field, problem })
}
