/** Fails when a relative link in the documentation leads to a file or a heading that is not there. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

for (const page of globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md', 'src/**/*.md'], { cwd: root })) {
  for (const target of linksOf(proseOf(page))) {
    const [path, heading] = target.split('#')
    const file = path ? normalize(join(dirname(page), path)) : page
    if (!existsSync(join(root, file))) complain(`${page}: there is no ${file}`)
    else if (heading && !headingsOf(file).has(heading))
      complain(`${page}: ${file} has no heading #${heading}`)
  }
}

function complain(what: string): void {
  console.log(what)
  process.exitCode = 1
}

/** The page without its code, where brackets mean something else. */
function proseOf(page: string): string {
  return readFileSync(join(root, page), 'utf8').replace(/^(```+)[\s\S]*?^\1/gm, '')
}

/** The targets of links and pictures that stay inside the repository. */
function linksOf(prose: string): readonly string[] {
  const targets = [...prose.replace(/`[^`\n]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map(
    ([, target]) => target ?? '',
  )
  return targets.filter((target) => !/^[a-z]+:/.test(target))
}

/** The anchors of a page’s headings, spelled as forges spell them. */
function headingsOf(page: string): ReadonlySet<string> {
  const headings = [...proseOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading ?? '')
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{Letter}\p{Number}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}
