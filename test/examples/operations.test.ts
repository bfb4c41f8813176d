import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { prometheusObserver } from '../../src/server/prometheus-observer.ts'
import { createTestSite, type TestSite } from '../test-site.ts'

const folder = fileURLToPath(new URL('../../examples/operations/', import.meta.url))
const source = fileURLToPath(new URL('../../src/', import.meta.url))
const read = (file: string): string => readFileSync(join(folder, file), 'utf8')

/** What Docker, Node and PostgreSQL’s image read themselves. */
const othersVariables = new Set([
  'NODE_ENV',
  'POSTGRES_USER',
  'POSTGRES_DB',
  'POSTGRES_PASSWORD',
  'SITE_ADDRESS',
])

let site: TestSite
let known: ReadonlySet<string>
before(async () => {
  site = await createTestSite({ observer: await prometheusObserver() })
  const text = await (await site.asAdmin('/hallpass/metrics')).text()
  known = new Set(
    [...text.matchAll(/^# TYPE (\S+) (\w+)$/gm)].flatMap(([, name = '', kind]) =>
      kind === 'histogram' ? ['_bucket', '_sum', '_count'].map((part) => name + part) : [name],
    ),
  )
})
after(() => site.close())

function metricsIn(expression: string): string[] {
  return expression.match(/\b(?:hallpass|nodejs|process)_[a-z0-9_]+/g) ?? []
}

describe('grafana-dashboard.json', () => {
  interface Panel {
    readonly id: number
    readonly type: string
    readonly title: string
    readonly targets?: readonly { readonly expr: string }[]
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  }
  const { panels } = JSON.parse(read('grafana-dashboard.json')) as { readonly panels: readonly Panel[] }
  const shown = panels.filter(({ type }) => type !== 'row')

  test('asks only for metrics that /metrics tells', () => {
    for (const { title, targets = [] } of shown) {
      assert.ok(targets.length > 0, title)
      for (const { expr } of targets) {
        assert.ok(metricsIn(expr).length > 0, expr)
        for (const name of metricsIn(expr)) assert.ok(known.has(name), `${title}: ${name}`)
      }
    }
  })

  test('answers what operators ask', () => {
    const asked = new Set(shown.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => metricsIn(expr))))
    for (const name of [
      'hallpass_refusals_total',
      'hallpass_verification_seconds_bucket',
      'hallpass_cache_requests_total',
      'hallpass_bus_age_seconds',
      'hallpass_pushes',
      'hallpass_limited_total',
      'nodejs_eventloop_lag_p99_seconds',
    ]) {
      assert.ok(asked.has(name), name)
    }
  })

  test('has no two panels in one place', () => {
    const taken = new Set<string>()
    for (const { gridPos, title } of panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          assert.ok(!taken.has(`${x} ${y}`) && x < 24, title)
          taken.add(`${x} ${y}`)
        }
      }
    }
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  })
})

describe('alerts.yml and prometheus.yml', () => {
  test('ask only for metrics that /metrics tells', () => {
    const { groups } = parse(read('alerts.yml')) as {
      groups: { rules: { alert: string; expr: string; annotations: { summary: string } }[] }[]
    }
    const rules = groups.flatMap((group) => group.rules)
    assert.ok(rules.length >= 5)
    for (const { alert, expr, annotations } of rules) {
      for (const name of metricsIn(expr)) assert.ok(known.has(name), `${alert}: ${name}`)
      assert.ok(annotations.summary)
    }
    const { scrape_configs: jobs } = parse(read('prometheus.yml')) as {
      scrape_configs: { job_name: string }[]
    }
    assert.deepEqual(
      jobs.map(({ job_name: name }) => name),
      ['hallpass'],
    )
  })
})

/** Every variable that a file sets. */
function variablesIn(text: string): string[] {
  return text.match(/\b(?:HALLPASS|DATABASE|REDIS)_[A-Z_]+\b/g) ?? []
}

test('every variable that is named here is read by the source', () => {
  const sources = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(source, file), 'utf8'))
    .join('\n')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.\w+$|file$/.test(file),
  )
  let count = 0
  for (const file of files) {
    for (const name of variablesIn(read(file))) {
      if (othersVariables.has(name)) continue
      count += 1
      assert.match(sources, new RegExp(`\\b${name}\\b`), `${file}: ${name}`)
    }
  }
  assert.ok(count > 20)
})

describe('compose/compose.yaml', () => {
  interface Compose {
    readonly services: Readonly<
      Record<
        string,
        {
          readonly image: string
          readonly build?: { readonly context: string; readonly dockerfile: string }
          readonly environment?: Readonly<Record<string, string>>
          readonly command?: readonly string[]
          readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>
          readonly volumes?: readonly string[]
        }
      >
    >
    readonly volumes: Readonly<Record<string, unknown>>
  }
  const compose = parse(read('compose/compose.yaml'), { merge: true }) as Compose

  test('has two nodes, PostgreSQL, Redis and Caddy, and waits for what each needs', () => {
    const names = Object.keys(compose.services)
    assert.deepEqual(names.sort(), ['caddy', 'hallpass-1', 'hallpass-2', 'postgres', 'redis'])
    for (const { depends_on: needs = [], volumes = [] } of Object.values(compose.services)) {
      for (const name of Array.isArray(needs) ? needs : Object.keys(needs))
        assert.ok(names.includes(name), name)
      for (const volume of volumes) {
        const [from = ''] = volume.split(':')
        assert.ok(from.startsWith('./') || from in compose.volumes, volume)
      }
    }
  })

  test('gives both nodes the same database, Redis and address', () => {
    const [one, two] = [compose.services['hallpass-1'], compose.services['hallpass-2']]
    assert.ok(one?.environment?.DATABASE_URL && one.environment.REDIS_URL)
    assert.deepEqual(one.environment, two?.environment)
  })

  test('gives Redis the memory that both nodes may need, and lets it forget only what expires', () => {
    const command = compose.services.redis?.command ?? []
    const after = (name: string): string => command[command.indexOf(name) + 1] ?? ''
    assert.ok(Number.parseInt(after('--maxmemory'), 10) >= 3 * 2 * 35)
    assert.equal(after('--maxmemory-policy'), 'volatile-ttl')
  })

  test('names only secrets that .env.example asks for, and holds none', () => {
    const asked = [...read('compose/compose.yaml').matchAll(/\$\{(\w+)/g)].map(([, name]) => name)
    const offered = read('compose/.env.example').match(/^\w+/gm)
    assert.deepEqual([...new Set(asked)].sort(), offered?.sort())
    assert.doesNotMatch(read('compose/.env.example'), /PASSWORD=\S/)
  })

  test('builds with a Dockerfile that is there', () => {
    const { context = '', dockerfile = '' } = compose.services['hallpass-1']?.build ?? {}
    assert.ok(readFileSync(join(folder, 'compose', context, dockerfile), 'utf8').startsWith('# docker build'))
  })
})

describe('Dockerfile', () => {
  const lines = read('Dockerfile').replace(/\\\n/g, ' ').split('\n')
  const instructions = lines.filter((line) => /^[A-Z]+ /.test(line)).map((line) => line.split(/ +/))
  const last = instructions.slice(instructions.findLastIndex(([word]) => word === 'FROM'))

  test('ends with a stage of its own that runs as nobody in particular, and has a health check', () => {
    assert.ok(instructions.filter(([word]) => word === 'FROM').length > 1)
    const words = last.map(([word]) => word)
    for (const word of ['USER', 'HEALTHCHECK', 'ENTRYPOINT']) assert.ok(words.includes(word), word)
    assert.notEqual(last.find(([word]) => word === 'USER')?.[1], 'root')
    assert.ok(words.indexOf('USER') < words.indexOf('ENTRYPOINT'))
  })

  test('copies only from stages and files that are there', () => {
    const stages = instructions.filter(([word]) => word === 'FROM').map((words) => words.at(-1))
    for (const [word, first = ''] of instructions) {
      if (word === 'COPY' && first.startsWith('--from=')) assert.ok(stages.includes(first.slice(7)), first)
    }
  })

  test('asks for health in a way that Node understands', async (t) => {
    const check = last.find(([word]) => word === 'HEALTHCHECK')
    assert.ok(check)
    const text = lines.find((line) => line.startsWith('HEALTHCHECK')) ?? ''
    const [, script = ''] = JSON.parse(text.slice(text.indexOf('CMD') + 4)).slice(1) as string[]
    assert.match(script, /\/healthz/)
    // Nothing listens there, so the answer is no: it must not be an error of the script's own.
    const ran = spawnSync(process.execPath, ['-e', script.replace('4000', '1')])
    assert.deepEqual([ran.status, ran.stderr.toString()], [1, ''])
    t.diagnostic(script)
  })
})

describe('systemd', () => {
  test('hallpass.service says how to install files that are there, to folders that need not be', () => {
    const installed = [...read('systemd/hallpass.service').matchAll(/^# +install (.*?-m \d+) (\S+) \S+/gm)]
    assert.equal(installed.length, 2)
    for (const [, , from = ''] of installed) assert.ok(read(join('systemd', from)), from)
    assert.match(installed[0]?.[1] ?? '', /^-D /)
  })

  test('the environment names an application, so that no unit starts the forum', () => {
    assert.match(read('hallpass.env.example'), /^HALLPASS_UPSTREAM=http/m)
  })

  for (const unit of ['hallpass.service', 'hallpass@.service']) {
    test(`${unit} is one that systemd understands`, (t) => {
      if (spawnSync('systemd-analyze', ['--version']).error) return t.skip('systemd-analyze is not there')
      const there = mkdtempSync(join(tmpdir(), 'hallpass-unit-'))
      t.after(() => rmSync(there, { recursive: true }))
      const file = join(there, unit.replace('@', '@4001'))
      writeFileSync(file, read(`systemd/${unit}`).replace('/usr/local/bin/hallpass serve', '/bin/true'))
      const { stderr, status } = spawnSync('systemd-analyze', ['verify', file])
      const ours = stderr
        .toString()
        .split('\n')
        .filter((line) => line.includes(there))
      assert.deepEqual([status, ours], [0, []])
    })
  }
})

test('Caddy understands its file', (t) => {
  if (spawnSync('caddy', ['version']).error) return t.skip('Debian’s package caddy is not there')
  const config = join(folder, 'compose/Caddyfile')
  const env = { ...process.env, HOME: tmpdir(), SITE_ADDRESS: 'localhost' }
  const adapted = execFileSync('caddy', ['adapt', '--config', config, '--adapter', 'caddyfile'], { env })
  assert.match(adapted.toString(), /hallpass-1:4000.*hallpass-2:4000/)
})
