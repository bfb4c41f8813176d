/** Brings a database into the system's memory, so that what is measured is not the disk. */
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'

const block = Buffer.allocUnsafe(4 * 1024 * 1024)

/** Reads a file, or all files of a folder. What the memory has no room for stays on the disk. */
export function readThrough(path: string): void {
  if (statSync(path).isDirectory()) {
    for (const name of readdirSync(path)) readThrough(join(path, name))
    return
  }
  const file = openSync(path, 'r')
  try {
    while (readSync(file, block) > 0);
  } finally {
    closeSync(file)
  }
}
