/** `hallpass scopes`: scopes for an application's own routes. This is their grammar; each has a file of its own. */
import type { Command } from 'commander'
import { configOption, configOptionHelp } from '../load-config.ts'
import { checkScopes } from './check.ts'
import { explainRequest } from './explain.ts'
import { importScopes } from './import.ts'
import { learnScopes } from './learn.ts'
import { logFormats } from './log-line.ts'

/** Adds `scopes` to the program. */
export function registerScopes(program: Command): void {
  const scopes = program
    .command('scopes')
    .summary('declare scopes for your application’s routes')
    .description(
      'Scopes for an application’s own routes stand in the config file. These commands propose them, check them, and tell which of them permit a request. Nothing needs to run.',
    )
    .addHelpText(
      'after',
      `
examples:
  hallpass scopes import openapi.yaml --out hallpass.config.ts
  hallpass scopes check
  hallpass scopes explain GET /invoices/7
  hallpass scopes learn --from /var/log/nginx/access.log`,
    )
  scopes
    .command('check')
    .summary('check the scopes of the config file')
    .description(
      'Prints every scope with its routes, then what is wrong or looks unintended. Exits with 1 when the file cannot be used; warnings alone are no failure.',
    )
    .option(configOption, configOptionHelp)
    .addHelpText('after', '\nexamples:\n  hallpass scopes check\n  hallpass scopes check --config shop.json')
    .action(checkScopes)
  scopes
    .command('explain')
    .summary('tell which scopes permit a request, and why')
    .description(
      'Reads the request as the server does, and tells which scopes permit it, and which nearly do. Exits with 1 when none does, and for a path that two programs could read differently.',
    )
    .argument('<method>', 'such as GET')
    .argument('<path>', 'such as /invoices/7, percent-encoded, with a query or without one')
    .option(configOption, configOptionHelp)
    .option(
      '--param <name=value>',
      'a parameter of the query or the body, repeatable',
      (text: string, earlier: readonly string[] = []) => [...earlier, text],
    )
    .addHelpText(
      'after',
      `
examples:
  hallpass scopes explain GET /invoices/7
  hallpass scopes explain POST /invoices --param customer=12`,
    )
    .action(explainRequest)
  scopes
    .command('import')
    .summary('propose scopes from an OpenAPI document')
    .description(
      'Reads OpenAPI 3.0 or 3.1, YAML or JSON, and prints a config file: for each tag a scope that reads (GET) and one that writes. What it cannot express is a warning on the error stream.',
    )
    .argument('<file>', 'the document')
    .option('--app <name>', 'what the scopes’ names begin with (default: from the document’s title)')
    .option('--format <format>', 'typescript or json (default: by the name of --out, or typescript)')
    .option('--out <file>', 'write to a file, which must not be there (default: print)')
    .option('--force', 'write over the file')
    .addHelpText(
      'after',
      `
examples:
  hallpass scopes import openapi.yaml
  hallpass scopes import openapi.yaml --app shop --out hallpass.config.ts
  hallpass scopes import openapi.json --format json > hallpass.config.json`,
    )
    .action(importScopes)
  scopes
    .command('learn')
    .summary('hold an access log against the scopes')
    .description(
      'Reads access logs, gzip or not, and tells which routes no scope covers, and which scopes are enough for the others. Numbers and identifiers in paths become :id; queries are not looked at. Lines that are not understood are counted, and named.',
    )
    .requiredOption(
      '--from <file>',
      'a log, or - for the standard input; repeatable',
      (file: string, earlier: readonly string[] = []) => [...earlier, file],
    )
    .option('--format <format>', `one of ${logFormats.join(', ')}`, 'auto')
    .option('--key <id>', 'only requests of this key, or user, as the log names it')
    .option('--api-keys', 'hold it against the scopes of API keys')
    .option('--limit <number>', 'how many uncovered routes to print', '50')
    .option(configOption, configOptionHelp)
    .addHelpText(
      'after',
      `
A log names the key where the server writes it: in JSON as hallpass_key_id, key_id,
remote_user, user_id or user, in the common format in the place of the user.

examples:
  hallpass scopes learn --from access.log
  hallpass scopes learn --from access.log.1.gz --from access.log --key 17
  journalctl -u caddy -o cat | hallpass scopes learn --from - --format caddy-json`,
    )
    .action(learnScopes)
}
