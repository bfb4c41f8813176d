/** Fails when a requirement of docs/protocol.md has no case in the conformance suite, or a case no requirement. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { allCases } from '../conformance/cases/all-cases.ts'
import { compareRequirements, readRequirements } from './requirements.ts'

const document = readFileSync(fileURLToPath(new URL('../docs/protocol.md', import.meta.url)), 'utf8')
const cases = allCases.flatMap(({ section, cases: some }) => some.map(({ id }) => ({ id, section })))
const complaints = compareRequirements(readRequirements(document), cases)
for (const complaint of complaints) console.log(complaint)
process.exitCode = complaints.length > 0 ? 1 : 0
