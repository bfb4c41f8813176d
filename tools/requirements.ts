/** The numbered requirements of docs/protocol.md, and whether the conformance suite tries each of them. */

/** A requirement, as the document has it. */
export interface Requirement {
  readonly id: string
  /** The number of the `##` section that it stands in. */
  readonly section: number
  readonly text: string
}

/** A case, as far as it matters here. */
export interface TriedRequirement {
  readonly id: string
  readonly section: number
}

/** All lines that begin with **P-1** or **A-1**, in the order of the document. */
export function readRequirements(document: string): readonly Requirement[] {
  let section = 0
  return document.split('\n').flatMap((line) => {
    section = Number(/^## (\d+)\./.exec(line)?.[1] ?? section)
    const [, id, text] = /^\*\*([PA]-\d+)\*\* (.+)$/.exec(line) ?? []
    return id === undefined || text === undefined ? [] : [{ id, section, text }]
  })
}

/** What is wrong between the document and the cases, a line each; nothing when each requirement is tried. */
export function compareRequirements(
  requirements: readonly Requirement[],
  cases: readonly TriedRequirement[],
): readonly string[] {
  // Of two with one number the first counts.
  const byId = new Map(requirements.toReversed().map((requirement) => [requirement.id, requirement]))
  const tried = new Set(cases.map(({ id }) => id))
  const complaints: string[] = []
  for (const [index, { id }] of requirements.entries()) {
    if (requirements.findIndex((other) => other.id === id) !== index)
      complaints.push(`${id} stands twice in the document`)
  }
  for (const { id, text } of requirements) {
    if (id.startsWith('P-') && !/\b(MUST|SHOULD|MAY)\b/.test(text))
      complaints.push(`${id} demands nothing: ${text}`)
    if (!tried.has(id)) complaints.push(`${id} has no case: ${text}`)
  }
  for (const { id, section } of cases) {
    const requirement = byId.get(id)
    if (requirement === undefined)
      complaints.push(`there is a case for ${id}, which the document does not have`)
    else if (requirement.section !== section) {
      complaints.push(
        `the case for ${id} is among those of §${section}, and the requirement in §${requirement.section}`,
      )
    }
  }
  return complaints
}
