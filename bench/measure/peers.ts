/** The peers: what Hallpass is measured beside, each started as a process and asked once whether it does its work. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { goodKey, goodKeysOf, keyText } from '../fill/keys.ts'
import { type Child, type Role, startChild, startScript } from './children.ts'
import { ask, type Contestant } from './contestant.ts'
import { freePort } from './hallpass.ts'

/** A peer that runs. */
export interface Peer {
  readonly contestant: Contestant
  readonly child: Child
  stop(): Promise<void>
}

/** Headers that every request carries, whoever is asked, so that all parse the same. */
export const plainHeaders: Readonly<Record<string, string>> = { accept: 'application/json' }

/** A bare server that knows the good keys of a store and answers with `body`. Default: one process, measured. */
export async function bareHttp(
  keys: number,
  key: string,
  body: string,
  { processes = 1, role = 'measured' }: { readonly processes?: number; readonly role?: Role } = {},
): Promise<Peer> {
  const args = [String(keys), body, String(processes)]
  const child = startScript(new URL('../servers/bare-http.ts', import.meta.url), args, { role })
  return peer(child, {
    name: 'bare node:http',
    url: `${await addressOf(child)}/`,
    headers: { ...plainHeaders, 'user-api-key': key },
    answers: body,
  })
}

/** An application for gateways to stand in front of; its address. */
export async function upstreamApplication(): Promise<{ readonly url: string; readonly child: Child }> {
  const child = startScript(new URL('../servers/upstream.ts', import.meta.url), [], { role: 'behind' })
  return { url: await addressOf(child), child }
}

/** A bare proxy in front of `upstream`. */
export async function bareProxy(upstream: string, path: string): Promise<Peer> {
  const port = new URL(upstream).port
  const child = startScript(new URL('../servers/bare-proxy.ts', import.meta.url), [port], {
    role: 'measured',
  })
  return peer(child, {
    name: 'bare node:http proxy',
    url: `${await addressOf(child)}${path}`,
    headers: plainHeaders,
    answers: 'What the application has to say',
  })
}

/** Better Auth's API-key plugin on SQLite. */
export async function betterAuth(): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), 'hallpass-bench-better-auth-'))
  const child = startScript(new URL('../peers/better-auth.ts', import.meta.url), [folder], {
    role: 'measured',
  })
  const key = await child.line('KEY')
  const contestant = {
    name: 'Better Auth',
    url: `${await addressOf(child)}/`,
    headers: { ...plainHeaders, 'x-api-key': key },
    answers: '"valid":true',
  }
  return peer(child, contestant, folder)
}

/** oidc-provider's introspection. */
export async function oidcIntrospection(): Promise<Peer> {
  const child = startScript(new URL('../servers/oidc-introspection.ts', import.meta.url), [], {
    role: 'measured',
  })
  const [token = '', ...authorization] = (await child.line('TOKEN')).split(' ')
  return peer(child, {
    name: 'oidc-provider introspection',
    url: `${await addressOf(child)}/token/introspection`,
    method: 'POST',
    headers: {
      ...plainHeaders,
      authorization: authorization.join(' '),
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: `token=${token}`,
    answers: '"active":true',
  })
}

/** nginx with one worker and a static map of keys; undefined where it is not installed. */
export async function nginx(keys: number, key: string): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), 'hallpass-bench-nginx-'))
  chmodSync(folder, 0o755)
  const port = await freePort()
  const known = Array.from({ length: goodKeysOf(keys) }, (_, i) => `    ${keyText(goodKey(i))} 1;`)
  writeFileSync(join(folder, 'nginx.conf'), nginxConfiguration(port, known.join('\n')))
  const child = startChild('nginx', ['-e', 'stderr', '-p', folder, '-c', 'nginx.conf'], { role: 'measured' })
  const url = `http://127.0.0.1:${port}/`
  const deadline = performance.now() + 10_000
  while ((await ask(url).catch(() => undefined)) === undefined) {
    if (performance.now() > deadline) throw new Error(`nginx does not answer:\n${child.output()}`)
  }
  const headers = { ...plainHeaders, 'user-api-key': key }
  return peer(child, { name: 'nginx with a static map', url, headers, answers: 'nginx' }, folder)
}

/** Without a bound on requests a connection: it would close one after a thousand, and nobody else does. */
const nginxConfiguration = (port: number, known: string): string => `
daemon off;
worker_processes 1;
pid nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  map_hash_bucket_size 128;
  map_hash_max_size 8192;
  map $http_user_api_key $known {
    default 0;
${known}
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      if ($known = 0) { return 403; }
      return 200;
    }
  }
}
`

async function addressOf(child: Child): Promise<string> {
  return `http://127.0.0.1:${await child.line('READY')}`
}

function peer(child: Child, contestant: Contestant, folder?: string): Peer {
  return {
    contestant,
    child,
    async stop() {
      await child.stop()
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}
