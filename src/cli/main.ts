/** The `hallpass` command. `bin/hallpass.js` imports this file to run it. */
import { createProgram } from './program.ts'

// A reader that has seen enough, such as `head`, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

try {
  const program = await createProgram(process.argv.slice(2))
  await program.parseAsync()
} catch (error) {
  const { reportFailure } = await import('./failure.ts')
  process.exitCode = reportFailure(error)
}
