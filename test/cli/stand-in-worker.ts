/** A worker that has no site: it says when it would answer, and ends when told to, unless the environment says not. */
import type { PrimaryMessage } from '../../src/cli/worker-messages.ts'
import { fromPrimary, tellPrimary } from '../../src/cli/worker-messages.ts'

fromPrimary((message: PrimaryMessage) => {
  if (message.type === 'listen') void tellPrimary({ type: 'listening' })
  if (message.type === 'stop' && process.env.STUBBORN === undefined) process.exit(0)
})
await tellPrimary({ type: 'opened', limitsShared: true })
