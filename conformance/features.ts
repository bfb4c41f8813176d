/** Which parts of the protocol a site has, found out as the head of docs/protocol.md says. */
import type { Feature } from './feature.ts'
import type { Site } from './site.ts'

/** Why a part is taken to be absent, for the report. */
export const absences: Readonly<Record<Feature, string>> = {
  device: 'the site does not announce the device flow',
  oaep: 'the site does not know the parameter padding',
  otp: 'the site has no one-time passwords',
  registration: 'the site has no registered clients',
  calendar: 'the site has no calendar subscriptions',
  push: 'the site shows no setting allowed_user_api_push_urls',
  cors: 'the site shows no setting cors_origins',
  forum: 'the site has no topic list at /latest.json',
  rfc8628: 'the site has no POST /oauth/device_authorization',
  hallpass: 'an addition, and the site does not announce Hallpass’s',
}

/** Fills in what the site has. */
export async function findFeatures(site: Site): Promise<void> {
  const { features } = site
  const visitor = site.visitor()
  const found = (feature: Feature, there: boolean): void => {
    if (there) features.add(feature)
  }
  const probe = await visitor.ask('/user-api-key/new', { method: 'HEAD' })
  found('device', probe.header('auth-api-device-code') === 'true')
  found('hallpass', probe.header('hallpass-additions') !== undefined)
  const padding = await visitor.get(await site.asking({ padding: 'rot13' }))
  found('oaep', padding.status === 400)
  found('otp', (await visitor.get('/user-api-key/otp.json')).status === 400)
  found('registration', (await visitor.get('/user-api-key-client.json')).status === 400)
  const latest = await visitor.get('/latest.json')
  found('forum', latest.status === 200 && latest.text.includes('"topic_list"'))
  const standard = await site.program().post('/oauth/device_authorization')
  found('rfc8628', ![404, 405].includes(standard.status))
  found('push', site.settings.value('allowed_user_api_push_urls') !== undefined)
  found('cors', site.settings.value('cors_origins') !== undefined)
  if (site.hasUser()) {
    const { browser } = await site.user()
    found('calendar', (await browser.get('/calendar-subscriptions.json')).status === 200)
  }
}
