import { CommanderError } from 'commander'
import { HallpassApiError } from '../client/api-error.ts'
import { HallpassError } from '../protocol/errors.ts'
import { note } from './terminal.ts'

/** 0: done. 1: refused or failed. 2: the command was not understood. */
export type ExitCode = 0 | 1 | 2

/** Says on stderr what went wrong and how to mend it. */
export function reportFailure(error: unknown): ExitCode {
  if (error instanceof CommanderError) {
    // Commander has said its own by now.
    if (error.code === usageCode) note(`error: ${error.message}`)
    return error.exitCode === 0 ? 0 : 2
  }
  if (error instanceof HallpassError) {
    note(`error: ${error.message}`)
    if (error.remedy) note(`fix: ${error.remedy}`)
    note(`reason: ${error.reason}${reference(error)}`)
    return 1
  }
  note(`error: something went wrong in hallpass itself, not in what you asked for`)
  note(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return 1
}

/** For a command line that cannot be right: exit code 2. */
export function usageError(message: string): CommanderError {
  return new CommanderError(2, usageCode, message)
}

const usageCode = 'hallpass.usage'

/** The page about the reason, or what a site without such pages said in its own words. */
function reference(error: HallpassError): string {
  if (!(error instanceof HallpassApiError)) return ''
  if (error.docsUrl) return ` (${error.docsUrl})`
  return error.errors.length > 0 ? ` (the site says: ${error.errors.join('; ')})` : ''
}
