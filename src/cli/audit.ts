/** `hallpass audit`: the audit log of a server on this machine. */
import type { Command } from 'commander'
import { type AuditHead, readAudit, verifyAudit } from '../domain/read-audit.ts'
import type { AuditRecord, Store } from '../domain/store.ts'
import { HallpassError } from '../protocol/errors.ts'
import { usageError } from './failure.ts'
import {
  type DataFlags,
  databaseOption,
  databaseOptionHelp,
  dataOption,
  dataOptionHelp,
  withData,
} from './open-data.ts'
import { commandName, describeInstant, note, say } from './terminal.ts'

/** Adds `audit` to the program. */
export function registerAudit(program: Command): void {
  const audit = program
    .command('audit')
    .summary('read the audit log, and prove it whole')
    .description(
      'The audit log of a server on this machine: who did what to which key, client, user or setting. Each entry holds the hash of the one before. The server may be running.',
    )
    .addHelpText(
      'after',
      `
examples:
  hallpass audit list --limit 20
  hallpass audit verify
  hallpass audit verify --head 812:3f0c…    also that an entry noted earlier is still there`,
    )
  audit
    .command('list')
    .summary('print the newest entries')
    .description('Prints the newest entries, the newest last.')
    .option(dataOption, dataOptionHelp)
    .option(databaseOption, databaseOptionHelp)
    .option('--limit <number>', 'how many entries', '50')
    .option('--action <name>', 'only entries of this action, such as user_api_key_revoked')
    .option('--json', 'one JSON object a line')
    .addHelpText(
      'after',
      `
example:
  hallpass audit list --limit 20 --action user_api_key_revoked`,
    )
    .action(list)
  audit
    .command('verify')
    .summary('hold every entry against its hash and the entry before it')
    .description(
      'Reads the log from its first entry to its last. Whoever can write the database could still cut off its end, or write it anew: note the printed head somewhere else, and give it back later.',
    )
    .option(dataOption, dataOptionHelp)
    .option(databaseOption, databaseOptionHelp)
    .option('--head <number:hash>', 'an entry noted earlier, which must still be there')
    .addHelpText(
      'after',
      `
example:
  hallpass audit verify --data /var/lib/hallpass`,
    )
    .action(verify)
}

interface ListFlags extends DataFlags {
  readonly limit: string
  readonly action?: string
  readonly json?: boolean
}

async function list(flags: ListFlags): Promise<void> {
  if (!/^[1-9][0-9]{0,5}$/.test(flags.limit)) throw usageError('--limit takes a whole number from 1 on')
  await withData(flags, async (store) => {
    const entries = await newest(store, Number(flags.limit), flags.action)
    if (entries.length === 0) note('no entries')
    for (const entry of entries.reverse()) say(flags.json ? JSON.stringify(entry) : describe(entry))
  })
}

async function newest(store: Store, limit: number, action: string | undefined): Promise<AuditRecord[]> {
  const found: AuditRecord[] = []
  let before: number | undefined
  do {
    const filter = action === undefined ? {} : { action }
    const page = await readAudit(store, { before, limit: limit - found.length }, filter)
    found.push(...page.entries)
    before = page.nextBefore ?? undefined
  } while (before !== undefined && found.length < limit)
  return found
}

function describe(entry: AuditRecord): string {
  const who = entry.actorUserId === null ? 'system' : `user ${entry.actorUserId} by ${entry.actorVia}`
  const where = entry.actorAddress === null ? '' : ` from ${entry.actorAddress}`
  const at = describeInstant(new Date(entry.at).toISOString())
  const trace = entry.traceId === null ? '' : `  trace ${entry.traceId}`
  return `${entry.sequence}  ${at}  ${entry.action}  ${who}${where}  ${entry.details}${trace}`
}

async function verify(flags: DataFlags & { readonly head?: string }): Promise<void> {
  const known = readHead(flags.head)
  const verdict = await withData(flags, (store) => verifyAudit(store, { known, onProgress: progress() }))
  if (verdict.outcome === 'broken') {
    throw new HallpassError(
      'audit_broken',
      `the audit log is broken at entry ${verdict.sequence}: ${verdict.problem}`,
      'keep a copy of the database as it is, and find out who could write to it; an older backup shows what stood there',
    )
  }
  const { sequence, hash } = verdict.head
  if (sequence === 0) return say('the audit log is empty')
  say(`the audit log is whole: ${sequence} ${sequence === 1 ? 'entry' : 'entries'}`)
  say(`head ${sequence}:${hash}`)
  if (known === undefined) note(`to check later: ${commandName()} audit verify --head ${sequence}:${hash}`)
}

function readHead(text: string | undefined): AuditHead | undefined {
  if (text === undefined) return undefined
  const [, sequence, hash] = /^([1-9][0-9]{0,14}):([0-9a-f]{64})$/.exec(text) ?? []
  if (sequence === undefined || hash === undefined) {
    throw usageError(
      '--head takes what `hallpass audit verify` printed: a number, a colon, 64 hexadecimal characters',
    )
  }
  return { sequence: Number(sequence), hash }
}

/** Long logs take a while; a terminal is told how far the reading has come. */
function progress(): (read: number) => void {
  if (!process.stderr.isTTY) return () => {}
  let said = Date.now()
  return (read) => {
    if (Date.now() - said < 1000) return
    said = Date.now()
    note(`${read} entries so far`)
  }
}
