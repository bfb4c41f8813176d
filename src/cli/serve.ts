/** `hallpass serve`: its flags. What it does is in `run-server.ts`. */
import type { Command } from 'commander'
import { configOption, configOptionHelp, loadConfig } from './load-config.ts'
import { databaseOption, databaseOptionHelp } from './open-data.ts'
import { readServeOptions, type ServeFlags } from './serve-options.ts'

/** Adds `serve` to the program. */
export function registerServe(program: Command): void {
  program
    .command('serve')
    .summary('start the server')
    .description(
      'Start Hallpass with its embedded database or with PostgreSQL, in front of an application or of a small forum of its own.',
    )
    .option(configOption, configOptionHelp)
    .option('--port <number>', 'port to listen on (HALLPASS_PORT; default 4000)')
    .option('--host <address>', 'address to listen on (HALLPASS_HOST; default 127.0.0.1)')
    .option('--data <folder>', 'folder of the embedded database (HALLPASS_DATA; default ./data)')
    .option(databaseOption, databaseOptionHelp)
    .option('--base-url <url>', 'the address people reach the site by (HALLPASS_BASE_URL)')
    .option(
      '--trusted-proxy <range>',
      'address or range of a proxy whose X-Forwarded-For is believed, repeatable\n(HALLPASS_TRUSTED_PROXIES, separated by commas; default none)',
      (range: string, earlier: readonly string[] = []) => [...earlier, range],
    )
    .option(
      '--upstream <url>',
      'the application to stand in front of, such as http://127.0.0.1:3000\n(HALLPASS_UPSTREAM; default none)',
    )
    .option('--metrics', 'keep metrics, for administrators at /hallpass/metrics (HALLPASS_METRICS=1)')
    .option(
      '--metrics-port <number>',
      'a port where /metrics asks for no credential, on HALLPASS_METRICS_HOST,\nnormally 127.0.0.1 (HALLPASS_METRICS_PORT; default none)',
    )
    .option(
      '--log-level <level>',
      'what is worth a line on stderr: debug, info, warn or error\n(HALLPASS_LOG_LEVEL; default info)',
    )
    .option('--log-format <format>', 'json, text, or auto: text on a terminal (HALLPASS_LOG_FORMAT)')
    .option(
      '--workers <number>',
      'processes that answer on the port, auto for as many as there are cores\n(HALLPASS_WORKERS; default 1)',
    )
    .option(
      '--redis <url>',
      'the Redis that limits are shared through with other nodes\n(REDIS_URL; default none: each machine counts alone)',
    )
    .option('--require-sign-in', 'let nobody through to the application without a sign-in or a key')
    .option('--no-forum', 'serve Hallpass alone, for an application behind a proxy that asks it')
    .addHelpText(
      'after',
      `
On an empty database HALLPASS_ADMIN_USERNAME, HALLPASS_ADMIN_PASSWORD and
HALLPASS_ADMIN_API_KEY (64 hexadecimal characters) make the first administrator
and one API key for all users. Without them an administrator named admin is made
with a random password, which is printed once.

A flag is stronger than its variable, and both are than the config file, which
can also bring scopes for the application’s own routes and pin settings.

With workers, SIGHUP starts a new one for each, one after the other, while
requests go on.

HALLPASS_DATABASE_POOL says how many connections to PostgreSQL each process
keeps at the most, beside one on which it listens; without it ten.

HALLPASS_ALLOW_PRIVATE_PUSH=1 lets pushes go to private addresses, which is
refused otherwise.

examples:
  hallpass serve
  hallpass serve --port 8080 --data /var/lib/hallpass --base-url https://forum.example.com
  DATABASE_URL=postgres://hallpass:secret@db.internal/hallpass hallpass serve
  hallpass serve --config /etc/hallpass/hallpass.config.json
  hallpass serve --base-url https://forum.example.com --trusted-proxy 127.0.0.1 --trusted-proxy 10.0.0.0/8
  hallpass serve --upstream http://127.0.0.1:3000 --base-url https://app.example.com
  hallpass serve --workers auto
  hallpass serve --workers 4 --redis redis://10.0.0.7:6379
  hallpass serve --no-forum --base-url https://app.example.com --trusted-proxy 127.0.0.1`,
    )
    .action(async (flags: ServeFlags) => {
      const options = readServeOptions(flags, process.env, await loadConfig(flags.config))
      // Only now, because the commands that talk to a server need not wait until one is loaded.
      const { runServer } = await import('./run-server.ts')
      await runServer(options)
    })
}
