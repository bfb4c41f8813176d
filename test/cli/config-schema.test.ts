import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { publishedSchema } from '../../src/cli/config-schema.ts'
import { type JsonSchema, schemaProblems } from '../../src/cli/json-schema.ts'

const text = readFileSync(new URL('../../hallpass.schema.json', import.meta.url), 'utf8')
const schema = JSON.parse(text) as JsonSchema

describe('hallpass.schema.json', () => {
  test('is what the sources say', () => {
    assert.equal(text, publishedSchema())
  })

  test('uses keywords of JSON Schema alone, and patterns that are regular expressions', () => {
    const known = new Set([
      ...['$schema', 'title', 'description', 'type', 'default', 'properties', 'required', 'items', 'oneOf'],
      ...['additionalProperties', 'minItems', 'enum', 'const', 'pattern', 'minLength', 'maxLength'],
      ...['minimum', 'maximum', 'writeOnly'],
    ])
    const visit = (one: JsonSchema): void => {
      for (const keyword of Object.keys(one)) assert.ok(known.has(keyword), keyword)
      if (one.pattern !== undefined) new RegExp(one.pattern, 'u')
      for (const member of Object.values(one.properties ?? {})) visit(member)
      for (const name of one.required ?? []) assert.ok(one.properties?.[name], name)
      for (const branch of one.oneOf ?? []) visit(branch)
      if (one.items) visit(one.items)
      if (one.additionalProperties) visit(one.additionalProperties)
    }
    visit(schema)
  })

  test('each default is a value that it allows', () => {
    const visit = (one: JsonSchema): void => {
      if (one.default !== undefined) assert.deepEqual(schemaProblems(one, one.default), [])
      for (const member of Object.values(one.properties ?? {})) visit(member)
    }
    visit(schema)
  })
})
