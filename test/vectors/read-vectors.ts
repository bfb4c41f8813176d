import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

/** What every vector has. */
export interface Vector {
  readonly id: string
  readonly comment: string
  readonly flags: readonly string[]
}

/** Reads the vectors of test/vectors/`name`.json, and sees that ids are unique and that each flag has its note. */
export function readVectors<V extends Vector>(name: string): readonly V[] {
  const text = readFileSync(new URL(`./${name}.json`, import.meta.url), 'utf8')
  const { notes, vectors } = JSON.parse(text) as { notes: Record<string, string>; vectors: V[] }
  assert.equal(new Set(vectors.map(({ id }) => id)).size, vectors.length, 'ids are unique')
  const used = new Set(vectors.flatMap(({ flags }) => flags))
  assert.deepEqual([...used].sort(), Object.keys(notes).sort(), 'every flag has a note, and every note a use')
  return vectors
}
