/** A user's calendar subscription, on sites that serve calendar feeds (protocol §8.7). */
import { checkMayMint } from '../domain/authorize.ts'
import {
  findCalendarSubscription,
  subscribeToCalendar,
  unsubscribeFromCalendar,
} from '../domain/calendar-subscription.ts'
import { countAgainst, perMinute } from '../domain/limits.ts'
import { refusal } from '../protocol/errors.ts'
import { json, refused } from './answer.ts'
import { actorOf, type Router, routesOf, type Service } from './service.ts'

export function addCalendarSubscriptionRoutes(router: Router, service: Service): void {
  const { domain, calendarFeeds: feeds } = service
  if (feeds.length === 0) return
  const route = routesOf(router, service)
  const path = '/calendar-subscriptions'

  route('GET', path, { who: 'user' }, async (call) => {
    const subscription = call.identity && (await findCalendarSubscription(domain, call.identity.user))
    return json({ has_subscription: subscription !== undefined, feeds: feeds.map(({ name }) => name) })
  })

  route('POST', path, { who: 'user' }, async (call) => {
    const { identity } = call
    if (!identity) return refused(call.visit, refusal('not_signed_in'), domain.settings.current().title)
    const { user } = identity
    const problem =
      checkMayMint(identity, domain.settings.current()) ??
      countAgainst(domain, [[perMinute('max_calendar_subscriptions_per_minute'), `user ${user.id}`]])
    if (problem) return refused(call.visit, problem, domain.settings.current().title)
    const { key } = await subscribeToCalendar(domain, actorOf(call), user, feeds)
    const base = service.baseUrl(call.visit)
    const urls = feeds.map(({ name, path: pathOf }) => [name, `${base}${pathOf(user)}?user_api_key=${key}`])
    return json({ key, urls: Object.fromEntries(urls) as Record<string, string> })
  })

  route('DELETE', path, { who: 'user' }, async (call) => {
    if (call.identity) await unsubscribeFromCalendar(domain, actorOf(call), call.identity.user)
    return new Response(null, { status: 204, headers: { 'cache-control': 'no-store' } })
  })
}
