/** What anybody may ask of the site itself: health, what it is, its pages' files, the reference of refusals. */
import { assets } from '../pages/assets.ts'
import { errorDocsIndexPage, errorDocsPage } from '../pages/error-docs.ts'
import { errorDocsPath } from '../pages/paths.ts'
import type { Reason } from '../protocol/errors.ts'
import { refusal, refusalCatalogue } from '../protocol/errors.ts'
import { json, page, refused } from './answer.ts'
import { healthAnswers } from './health.ts'
import { type Router, routesOf, type Service } from './service.ts'

export function addSiteRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)
  const open = { who: 'unchecked' } as const
  const uncounted = { who: 'unchecked', uncounted: true } as const

  for (const [path, answer] of Object.entries(healthAnswers)) {
    route('GET', path, uncounted, ({ visit }) => answer(service, visit))
  }

  route('GET', '/site/basic-info', open, async ({ visit }) => {
    const { title, site_description: description } = service.domain.settings.current()
    const icon = `${service.baseUrl(visit)}${assets['favicon.svg'].path}`
    return json({
      logo_url: icon,
      logo_small_url: icon,
      apple_touch_icon_url: icon,
      favicon_url: icon,
      title,
      description,
      login_required: false,
    })
  })

  for (const asset of Object.values(assets)) {
    route('GET', asset.path, uncounted, async () => assetResponse(asset))
  }

  route('GET', errorDocsPath, open, async () => page(errorDocsIndexPage()))

  route('GET', `${errorDocsPath}/:reason`, open, async ({ visit, segment }) => {
    const reason = segment('reason')
    if (!isReason(reason)) {
      const why = refusal('not_found', { what: 'reason of that name' })
      return refused(visit, why, service.domain.settings.current().title)
    }
    return page(errorDocsPage(reason))
  })
}

/** A file's address changes with its content, so it may be kept for ever. */
function assetResponse(asset: { contentType: string; body: string }): Response {
  return new Response(asset.body, {
    headers: {
      'content-type': asset.contentType,
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
    },
  })
}

function isReason(text: string): text is Reason {
  return Object.hasOwn(refusalCatalogue, text)
}
