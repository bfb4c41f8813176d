import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compareRequirements, readRequirements } from '../../tools/requirements.ts'

const document = `# A protocol

**P-9** stands before the first section and MUST be read all the same.

## 3. Browser flow

**P-1** The server MUST answer.

Mentions of **P-5** inside a line are none, and so is \`**P-6** MUST\`.

### 3.1 Probing

**P-2** The server SHOULD answer quickly.

## 19. Additions

**A-1** It says why.
`

const requirements = readRequirements(document)
const cases = [
  { id: 'P-9', section: 0 },
  { id: 'P-1', section: 3 },
  { id: 'P-2', section: 3 },
  { id: 'A-1', section: 19 },
]

describe('readRequirements', () => {
  test('finds the numbered lines with their sections', () => {
    assert.deepEqual(
      requirements.map(({ id, section }) => ({ id, section })),
      cases,
    )
  })
})

describe('compareRequirements', () => {
  test('has nothing to say when each requirement has a case', () => {
    assert.deepEqual(compareRequirements(requirements, cases), [])
    assert.deepEqual(compareRequirements(requirements, [...cases, { id: 'P-1', section: 3 }]), [])
  })

  const complaints: [name: string, complaints: readonly string[], expected: RegExp][] = [
    ['a requirement without a case', compareRequirements(requirements, cases.slice(1)), /^P-9 has no case/],
    [
      'a case without a requirement',
      compareRequirements(requirements, [...cases, { id: 'P-7', section: 3 }]),
      /^there is a case for P-7/,
    ],
    [
      'a case in another section',
      compareRequirements(requirements, [...cases, { id: 'A-1', section: 3 }]),
      /^the case for A-1 is among those of §3/,
    ],
    [
      'a number that was given twice',
      compareRequirements(readRequirements(`${document}\n**P-1** Something else MUST be.`), cases),
      /^P-1 stands twice/,
    ],
    [
      'a line that demands nothing',
      compareRequirements(readRequirements(document.replace('SHOULD answer', 'answers')), cases),
      /^P-2 demands nothing/,
    ],
  ]
  for (const [name, found, expected] of complaints) {
    test(`complains of ${name}`, () => {
      assert.equal(found.length, 1, found.join('\n'))
      assert.match(found[0] ?? '', expected)
    })
  }
})
