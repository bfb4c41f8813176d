/** `hallpass/client/node`: what an app on the user's own machine needs beside `hallpass/client`. */
export { CredentialFile, type CredentialFileOptions } from './credential-file.ts'
export type { KeptCredential } from './kept-credentials.ts'
export { authorizeWithLoopback, type LoopbackOptions } from './loopback.ts'
