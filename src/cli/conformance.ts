/** `hallpass conformance`: tries a site against the protocol, requirement by requirement. */
import { writeFile } from 'node:fs/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { CaseResult, Report } from '../../conformance/report.ts'
import { HallpassError } from '../protocol/errors.ts'
import { usageError } from './failure.ts'
import { note } from './terminal.ts'

interface ConformanceFlags {
  readonly adminApiKey?: string
  readonly adminUsername?: string
  readonly username?: string
  readonly password?: string
  readonly pushTarget?: string
  readonly only?: readonly string[]
  readonly section?: readonly number[]
  readonly json?: string
  readonly failFast?: true
  readonly yes?: true
}

/** Adds `conformance` to the program. */
export function registerConformance(program: Command): void {
  program
    .command('conformance')
    .summary('try a site against every requirement of the protocol')
    .description(
      'Runs the requirements of docs/protocol.md against a site, each as a case of its own, and prints what passed, failed and was skipped for want of something.',
    )
    .argument('<base url>', 'the site’s address')
    .addOption(env('--admin-api-key <key>', 'an administrator’s API key for all users', 'ADMIN_API_KEY'))
    .addOption(env('--admin-username <name>', 'whom that key acts for (default: system)', 'ADMIN_USERNAME'))
    .addOption(env('--username <name>', 'a user who can sign in, where there is no such key', 'USERNAME'))
    .addOption(env('--password <password>', 'that user’s password', 'PASSWORD'))
    .addOption(
      env('--push-target <address>', 'where the site may push to: an address of this machine', 'PUSH_TARGET'),
    )
    .addOption(new Option('--only <ids>', 'requirements to try, such as P-12,P-3').argParser(parseIds))
    .addOption(new Option('--section <numbers>', 'sections to try, such as 3,4').argParser(parseSections))
    .option('--json <file>', 'write a report as JSON; - writes it to stdout in place of the table')
    .option('--fail-fast', 'stop at the first failure')
    .option('--yes', 'run against a site on another machine')
    .addHelpText(
      'after',
      `
With an administrator’s key the suite makes users, approves apps in their name,
changes settings and turns limits off; it puts the settings back and removes the
users in the end. Do not run it on a site that people use. A site that is not on
this machine is left alone without --yes.

Keys and passwords in flags are seen by everybody on this machine; those in the
environment are not.

examples:
  hallpass conformance http://localhost:4000 --admin-username admin
  hallpass conformance http://localhost:4000 --section 3,4 --fail-fast
  hallpass conformance http://localhost:4000 --push-target http://127.0.0.1:0
  hallpass conformance https://forum.example.com --username sam --yes --json report.json

exit status: 0 nothing failed, 1 something failed, 2 not understood`,
    )
    .action(conformance)
}

async function conformance(address: string, flags: ConformanceFlags): Promise<void> {
  const baseUrl = readAddress(address, flags)
  if ((flags.username === undefined) !== (flags.password === undefined)) {
    throw usageError('--username and --password go together')
  }
  // Only now, because the other commands need none of it.
  const [{ runSuite, sectionTitles, unknownIds }, { reportText }] = await Promise.all([
    import('../../conformance/suite.ts'),
    import('../../conformance/report.ts'),
  ])
  const unknown = unknownIds(flags.only ?? [])
  if (unknown.length > 0) throw usageError(`there is no case for ${unknown.join(', ')}`)
  const ending = new AbortController()
  const end = (): void => ending.abort()
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
  let report: Report
  try {
    report = await runSuite({
      baseUrl,
      ...given(flags, [
        'adminApiKey',
        'adminUsername',
        'username',
        'password',
        'pushTarget',
        'only',
        'failFast',
      ]),
      ...(flags.section === undefined ? {} : { sections: flags.section }),
      signal: ending.signal,
      onResult: progress(),
      onWait: (seconds) => note(`the site limits requests: waiting ${seconds} s`),
    })
  } catch (error) {
    throw new HallpassError(
      'site_unreachable',
      error instanceof Error ? error.message : String(error),
      'see whether the address and the credentials are right',
      { cause: error },
    )
  } finally {
    process.off('SIGINT', end)
    process.off('SIGTERM', end)
    if (process.stderr.isTTY) process.stderr.write(clearLine)
  }
  const json = `${JSON.stringify(report, null, 2)}\n`
  if (flags.json === '-') process.stdout.write(json)
  else process.stdout.write(reportText(report, sectionTitles()))
  if (flags.json !== undefined && flags.json !== '-') await writeFile(flags.json, json)
  if (ending.signal.aborted) note('stopped before the end; what was changed is put back')
  if (ending.signal.aborted || report.totals.failed > 0 || report.leftBehind.length > 0) process.exitCode = 1
}

const clearLine = '\r\u001b[K'

function env(flags: string, description: string, name: string): Option {
  return new Option(flags, description).env(`HALLPASS_CONFORMANCE_${name}`)
}

function parseIds(text: string): readonly string[] {
  const ids = text.split(',').map((id) => id.trim().toUpperCase())
  if (!ids.every((id) => /^[PA]-\d+$/.test(id))) {
    throw new InvalidArgumentError('Give ids as in docs/protocol.md, such as P-12,A-3.')
  }
  return ids
}

function parseSections(text: string): readonly number[] {
  const numbers = text.split(',').map((part) => part.replace('§', '').trim())
  if (!numbers.every((number) => /^\d{1,2}$/.test(number))) {
    throw new InvalidArgumentError('Give the numbers of sections of docs/protocol.md, such as 3,4.')
  }
  return numbers.map(Number)
}

function readAddress(address: string, { yes }: ConformanceFlags): string {
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) {
    throw usageError(`${address} is no address such as http://localhost:4000`)
  }
  const { hostname } = new URL(address)
  const isHere = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname) || hostname.endsWith('.localhost')
  if (!isHere && !yes) {
    throw usageError(
      `${hostname} is another machine, and the suite changes what is there; add --yes if it may`,
    )
  }
  return address
}

/** One line that is written over and over, on a terminal; nothing elsewhere. */
function progress(): (result: CaseResult) => void {
  if (!process.stderr.isTTY) return () => undefined
  let count = 0
  return ({ id, outcome, title }) => {
    count += 1
    const line = `${count} ${id} ${outcome}: ${title}`.slice(0, (process.stderr.columns ?? 80) - 1)
    process.stderr.write(clearLine + line)
  }
}

/** Those of the flags that were given: an option that is undefined is not the same as one that is absent. */
function given<Flags extends object, Name extends keyof Flags>(
  flags: Flags,
  names: readonly Name[],
): { [Key in Name]?: Exclude<Flags[Key], undefined> } {
  const entries = names.filter((name) => flags[name] !== undefined).map((name) => [name, flags[name]])
  return Object.fromEntries(entries) as { [Key in Name]?: Exclude<Flags[Key], undefined> }
}
