/** Where and with what a run was made. */

import { readFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'

/** The machine and the versions, in a line. */
export function machine(): string {
  const [first] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${first?.model.trim() ?? 'an unknown processor'}, ${cpus().length} cores, ${memory} GiB, ${type()} ${release()}`
}

/** Node's version and those of the packages that are measured or measured beside. */
export function versions(): string {
  const packages = ['hallpass', 'better-auth', '@better-auth/api-key', 'oidc-provider']
  const named = packages.flatMap((name) => {
    const version = versionOf(name)
    return version === undefined ? [] : [`${name} ${version}`]
  })
  return [`Node ${process.versions.node}`, ...named].join(', ')
}

/** The version of a package, where this folder or the root has it installed. */
export function versionOf(name: string): string | undefined {
  const places =
    name === 'hallpass'
      ? ['../../package.json']
      : [`../node_modules/${name}/package.json`, `../../node_modules/${name}/package.json`]
  for (const place of places) {
    try {
      const { version } = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8')) as {
        version?: unknown
      }
      if (typeof version === 'string') return version
    } catch {
      // It may be in the other place.
    }
  }
  return undefined
}
