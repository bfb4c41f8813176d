/** A part of docs/protocol.md that a server may leave out. */
export type Feature =
  | 'device'
  | 'oaep'
  | 'otp'
  | 'registration'
  | 'calendar'
  | 'push'
  | 'cors'
  | 'forum'
  | 'rfc8628'
  | 'hallpass'
