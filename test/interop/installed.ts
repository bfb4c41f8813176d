/** Which programs of other languages this machine has. */
import { spawnSync } from 'node:child_process'

/** A program that runs here, or why the tests that need it are skipped. */
export interface Installed {
  /** Its path or name; the name of the first candidate when none runs. */
  readonly program: string
  /** For the `skip` option of node:test. False when the program is there. */
  readonly skip: string | false
}

/**
 * Looks for the first of some programs that ends well with `options`, such as those that load a library. Debian’s own
 * comes first: another of that name earlier on the path may lack the library.
 */
export function findInstalled(
  candidates: readonly [string, ...string[]],
  options: readonly string[],
  debianPackages: string,
): Installed {
  const program = candidates.find((candidate) => spawnSync(candidate, options).status === 0)
  return program === undefined
    ? {
        program: candidates[0],
        skip: `${candidates[0]} ${options.join(' ')} does not run here; apt-get install ${debianPackages}`,
      }
    : { program, skip: false }
}

/** What a program of another language gets of the environment: nothing that could lead it past 127.0.0.1. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env
  return { PATH, HOME, LANG: 'C.UTF-8' }
}
