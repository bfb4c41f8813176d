/**
 * Writes the pages of docs/ that are made from the catalogues in src/protocol/, and hallpass.schema.json: `npm run docs`.
 * With `--check` it writes nothing and fails when one of them is not what the sources say.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { publishedSchema } from '../src/cli/config-schema.ts'
import { createApiKeyScopeCatalogue } from '../src/protocol/api-key-scopes.ts'
import { refusalCatalogue } from '../src/protocol/errors.ts'
import { createScopeCatalogue } from '../src/protocol/scopes.ts'
import { type SettingDefinition, settingsCatalogue } from '../src/protocol/settings.ts'

/** What an item of a list setting is, in words. */
const itemNames = {
  scope: 'a scope’s name',
  redirect: 'a redirect pattern',
  url: 'an address',
  group: 'a group’s number',
  origin: 'an origin, such as `https://app.example.com`',
  address: 'an IP address',
} satisfies Record<Extract<SettingDefinition, { kind: 'list' }>['items'], string>

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = {
  'docs/errors.md': errorsPage(),
  'docs/settings.md': settingsPage(),
  'docs/scopes.md': scopesPage(),
  'docs/api-key-scopes.md': apiKeyScopesPage(),
  'hallpass.schema.json': publishedSchema(),
}

for (const [path, text] of Object.entries(pages)) {
  if (!process.argv.includes('--check')) {
    writeFileSync(join(root, path), text)
  } else if (textOf(path) !== text) {
    console.log(`${path} is not what the sources say: run npm run docs`)
    process.exitCode = 1
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8')
  } catch {
    return undefined
  }
}

function errorsPage(): string {
  const entries = Object.entries(refusalCatalogue).map(([reason, entry]) => {
    const errorType = 'errorType' in entry ? `, \`error_type\` \`${entry.errorType}\`` : ''
    return `## ${reason}

Status ${entry.status}${errorType}.

- **What was wrong:** ${prose(entry.message)}.
- **How to mend it:** ${prose(entry.remedy)}.
`
  })
  return `${notice('src/protocol/errors.ts')}
# Refusals

Every refusal carries a \`reason\`: a stable name that programs may match on. Beside it stand a \`message\` that says what
was wrong, a \`remedy\` that says how to mend it, a \`docs_url\` that leads here, and the \`trace_id\` by which the server’s log
knows the request. The protocol’s own fields (\`errors\`, \`error_type\`, \`extras\`) are as in [the protocol](protocol.md#12-errors).

Words in \`<…>\` below are filled in with the values of the request.

${entries.join('\n')}`
}

function settingsPage(): string {
  const entries = Object.entries(settingsCatalogue).map(([name, setting]: [string, SettingDefinition]) => {
    const hidden = setting.hidden ? ' Kept out of the ordinary list of settings.' : ''
    return `## ${name}

${setting.description}${hidden}

${shapeOf(setting)}
`
  })
  return `${notice('src/protocol/settings.ts')}
# Settings

A setting governs how the site behaves. It is kept in the database and may be changed while the server runs, by an
administrator, in a browser session or with an [API key](api-keys.md). On the wire a list is one string, its items separated by
\`|\`, and replaces the one that was there:

\`\`\`sh
curl -X PUT http://localhost:4000/admin/site_settings/cors_origins.json -H "Api-Key: $KEY" -H "Api-Username: admin" \\
  --data-urlencode "cors_origins=https://app.example.com|https://other.example.com"
\`\`\`

${entries.join('\n')}`
}

function shapeOf(setting: SettingDefinition): string {
  switch (setting.kind) {
    case 'integer':
      return `A whole number of ${setting.unit}, ${setting.minimum} to ${setting.maximum}. Default: ${setting.default}.`
    case 'boolean':
      return `\`true\` or \`false\`. Default: \`${setting.default}\`.`
    case 'string':
      if (setting.form === 'time')
        return 'A moment, such as `2026-01-31T12:00:00Z`, or empty. Default: empty.'
      return `Text of at most ${setting.maximumLength} characters. Default: ${setting.default === '' ? 'empty' : `\`${setting.default}\``}.`
    case 'list': {
      const mandatory = setting.mandatory
        ? ` Always on it: ${setting.mandatory.map((item) => `\`${item}\``).join(', ')}.`
        : ''
      const items = setting.default.map((item) => `\`${item}\``).join(', ')
      return `A list; an item is ${itemNames[setting.items]}. Default: ${items || 'empty'}.${mandatory}`
    }
  }
}

function scopesPage(): string {
  const entries = createScopeCatalogue().all.map(
    (scope) => `## ${scope.name}

The consent page says: *${scope.label}.*

${scope.description}${scope.marksWrite ? ' The consent page warns about it.' : ''}
`,
  )
  return `${notice('src/protocol/scopes.ts')}
# Scopes

A scope says what a key may do. An app asks for scopes by name, separated by commas, without spaces:
\`scopes=read,notifications\`. Which of them a site offers is its setting
[allow_user_api_key_scopes](settings.md#allow_user_api_key_scopes).

A route is meant with and without \`.json\`. A key of any scope may revoke itself: \`POST /user-api-key/revoke\`.

${entries.join('\n')}`
}

function apiKeyScopesPage(): string {
  const rows = createApiKeyScopeCatalogue().all.map(({ id, urls, parameters }) => {
    const code = (texts: readonly string[]) => texts.map((text) => `\`${text}\``).join(', ')
    return `| \`${id}\` | ${code(urls)} | ${code(parameters)} |`
  })
  return `${notice('src/protocol/built-in-api-key-scopes.ts')}
# Scopes of API keys

What a granular [API key](api-keys.md) may do. A route is meant with and without \`.json\`; GET includes HEAD. A key can be
narrowed to values of the parameters in the last column. Every key may ask \`GET /session/scopes\`.

| scope | permits | can be narrowed by |
| --- | --- | --- |
${rows.join('\n')}
`
}

function notice(source: string): string {
  return `<!-- Made by tools/docs.ts from ${source}. Change that file, then run: npm run docs -->\n`
}

/** A catalogue text as prose: placeholders in angle brackets. */
function prose(text: string): string {
  return text.replace(/\{(\w+)\}/g, '&lt;$1&gt;').replace(/`([^`]*)`/g, (_, code: string) => {
    return `\`${code.replaceAll('&lt;', '<').replaceAll('&gt;', '>')}\``
  })
}
