import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** A file that pages load. */
export interface Asset {
  /** Where it is served. It holds a hash of the content, so that it may be cached for ever. */
  readonly path: string
  readonly contentType: string
  readonly body: string
}

/** The name of an asset, as a page asks for it. */
export type AssetName = 'hallpass.css' | 'copy.js' | 'time.js' | 'favicon.svg'

/** All assets, by name. Read from the folder `assets` beside this module once, when the module is loaded. */
export const assets: Readonly<Record<AssetName, Asset>> = {
  'hallpass.css': load('hallpass', 'css', 'text/css; charset=utf-8'),
  'copy.js': load('copy', 'js', 'text/javascript; charset=utf-8'),
  'time.js': load('time', 'js', 'text/javascript; charset=utf-8'),
  'favicon.svg': load('favicon', 'svg', 'image/svg+xml'),
}

/** The address of an asset, for a page's `href` or `src`. */
export function assetUrl(name: AssetName): string {
  return assets[name].path
}

function load(name: string, extension: string, contentType: string): Asset {
  const body = readFileSync(new URL(`./assets/${name}.${extension}`, import.meta.url), 'utf8')
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 16)
  return { path: `/hallpass/assets/${name}.${hash}.${extension}`, contentType, body }
}
