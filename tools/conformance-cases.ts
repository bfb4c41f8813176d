/** Fails when a requirement of docs/protocol.md has no case in the conformance suite, or a case no requirement. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { allCases } from '../conformance/cases/all-cases.ts'
import { compareRequirements, readRequirements } from './requirements.ts'

/** Requirements whose cases are still to come. */
const pending: readonly string[] = [
  ...from(195, 238),
  ...Array.from({ length: 28 }, (_, index) => `A-${1 + index}`),
]

function from(first: number, last: number): readonly string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `P-${first + index}`)
}

const document = readFileSync(fileURLToPath(new URL('../docs/protocol.md', import.meta.url)), 'utf8')
const cases = allCases.flatMap(({ section, cases: some }) => some.map(({ id }) => ({ id, section })))
const complaints = compareRequirements(readRequirements(document), cases, pending)
for (const complaint of complaints) console.log(complaint)
if (pending.length > 0) console.log(`still without a case: ${pending.join(', ')}`)
process.exitCode = complaints.length > 0 ? 1 : 0
