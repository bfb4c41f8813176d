import { readFile } from 'node:fs/promises'
import { letterAvatar } from './avatar.ts'
import { refuseNotFound } from './refused.ts'

/** What stands behind `/forum/`, for anybody: the stylesheet, the icon, and the letter avatars. */
export async function answerAsset(path: string): Promise<Response> {
  const [, username, size] = /^\/forum\/avatar\/([^/]{1,255})\/(\d{1,3})\.svg$/.exec(path) ?? []
  if (username !== undefined) {
    const pixels = Math.min(Math.max(Number(size), 8), 512)
    return asset(letterAvatar(username, pixels), 'image/svg+xml', 86_400)
  }
  const file = files.get(path)
  if (file === undefined) return refuseNotFound('such file')
  file.text ??= readFile(file.location, 'utf8')
  return asset(await file.text, file.type, 300)
}

interface AssetFile {
  readonly location: URL
  readonly type: string
  /** Read once, when first asked for. */
  text?: Promise<string>
}

const files: ReadonlyMap<string, AssetFile> = new Map([
  ['/forum/assets/forum.css', { location: new URL('./assets/forum.css', import.meta.url), type: 'text/css' }],
  [
    '/forum/assets/icon.svg',
    { location: new URL('./assets/icon.svg', import.meta.url), type: 'image/svg+xml' },
  ],
])

function asset(text: string, type: string, maximumAgeSeconds: number): Response {
  return new Response(text, {
    headers: {
      'content-type': `${type}; charset=utf-8`,
      'cache-control': `public, max-age=${maximumAgeSeconds}`,
      // A picture that is opened by itself is a document of this site, and must not run anything as one.
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
    },
  })
}
