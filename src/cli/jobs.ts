/** `hallpass jobs`: what comes round by itself, on the data of a server on this machine. */
import type { Command } from 'commander'
import type { JobState } from '../domain/job-state.ts'
import { HallpassError } from '../protocol/errors.ts'
import type { Hallpass } from '../server/hallpass.ts'
import { usageError } from './failure.ts'
import { configOption, configOptionHelp, loadConfig } from './load-config.ts'
import {
  type DataFlags,
  databaseOption,
  databaseOptionHelp,
  dataOption,
  dataOptionHelp,
  withData,
} from './open-data.ts'
import { pinnedSettings } from './serve-options.ts'
import { commandName, describeInstant, note, say } from './terminal.ts'

/** Adds `jobs` to the program. */
export function registerJobs(program: Command): void {
  const jobs = program
    .command('jobs')
    .summary('see and run what comes round by itself')
    .description(
      'Jobs revoke keys that nobody uses, and delete what has expired. A server runs each when it is due. These commands work on the data of a server on this machine, which may be running: it hears of what they change.',
    )
    .addHelpText(
      'after',
      `
Give these commands the config file that the server has: what it pins governs jobs.

examples:
  hallpass jobs list
  hallpass jobs run revoke-unused-user-api-keys --data /var/lib/hallpass`,
    )
  jobs
    .command('list')
    .summary('print every job: last run, outcome, next run')
    .description('Prints every job, how it went last, and when it is due.')
    .option(dataOption, dataOptionHelp)
    .option(databaseOption, databaseOptionHelp)
    .option(configOption, configOptionHelp)
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
example:
  hallpass jobs list --data /var/lib/hallpass`,
    )
    .action(list)
  jobs
    .command('run')
    .summary('run a job now')
    .description('Runs a job now, due or not, and waits for it. Fails when it fails, or is running already.')
    .argument('<name>', 'its name, as the list has it')
    .option(dataOption, dataOptionHelp)
    .option(databaseOption, databaseOptionHelp)
    .option(configOption, configOptionHelp)
    .addHelpText(
      'after',
      `
example:
  hallpass jobs run revoke-unused-user-api-keys --data /var/lib/hallpass`,
    )
    .action(run)
}

interface JobsFlags extends DataFlags {
  readonly config?: string
  readonly json?: boolean
}

async function list(flags: JobsFlags): Promise<void> {
  const states = await withHallpass(flags, (hallpass) => hallpass.jobs.list())
  if (flags.json) {
    const { jobJson } = await import('../http/jobs.ts')
    return say(JSON.stringify(states.map(jobJson), null, 2))
  }
  const rows = [['job', 'every', 'last run', 'next run', 'outcome'], ...states.map(rowOf)]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  for (const row of rows) {
    say(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  }
}

async function run(name: string, flags: JobsFlags): Promise<void> {
  const answer = await withHallpass(flags, async (hallpass) => {
    const names = (await hallpass.jobs.list()).map((job) => job.name)
    if (!names.includes(name)) {
      throw usageError(
        `there is no job named ${name}. the jobs are:\n${names.map((one) => `  ${one}`).join('\n')}`,
      )
    }
    return hallpass.jobs.run(name)
  })
  if (answer.outcome === 'refused') {
    const { reason, message, remedy } = answer.refusal
    throw new HallpassError(reason, message, remedy)
  }
  const { outcome, summary } = answer.job
  if (outcome !== 'succeeded') {
    const remedy = `mend what it complains of; it is tried again by itself. to see when: ${commandName()} jobs list`
    throw new HallpassError(`job_${outcome ?? 'failed'}`, `the job ${name}: ${summary}`, remedy)
  }
  say(`${name}: ${summary}`)
}

/** Opens Hallpass on a server's data, for one command: it runs nothing by itself. */
async function withHallpass<T>(flags: JobsFlags, work: (hallpass: Hallpass) => Promise<T>): Promise<T> {
  const config = await loadConfig(flags.config)
  return withData(
    flags,
    async (store) => {
      const { createHallpass } = await import('../server/create-hallpass.ts')
      // A pinned setting governs the jobs too, such as after how many days a key counts as unused.
      const hallpass = await createHallpass({
        store,
        scopes: config.scopes ?? [],
        apiKeyScopes: config.apiKeyScopes ?? [],
        pinnedSettings: pinnedSettings(config),
        background: false,
        onError: (error) => note(String(error)),
      })
      // Ctrl-c ends a run after its present batch, so that it lets go of its job.
      const end = (): void => void hallpass.close()
      process.once('SIGINT', end)
      process.once('SIGTERM', end)
      try {
        return await work(hallpass)
      } finally {
        process.off('SIGINT', end)
        process.off('SIGTERM', end)
        await hallpass.close()
      }
    },
    config,
  )
}

function rowOf(job: JobState): string[] {
  const last = job.lastStartedAt === null ? 'never' : instant(job.lastStartedAt)
  const next = job.nextRunAt === null ? 'when a server is up' : instant(job.nextRunAt)
  return [job.name, every(job.everyMs), last, next, outcomeOf(job)]
}

function outcomeOf(job: JobState): string {
  if (job.isRunning) return 'running'
  if (job.outcome === null) return ''
  return job.outcome === 'succeeded' ? job.summary : `${job.outcome}: ${job.summary}`
}

function instant(time: number): string {
  return describeInstant(new Date(time).toISOString())
}

/** `24h`, `10m`. */
function every(ms: number): string {
  return ms % 3_600_000 === 0 ? `${ms / 3_600_000}h` : `${Math.round(ms / 60_000)}m`
}
