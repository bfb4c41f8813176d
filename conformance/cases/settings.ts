import type { CaseSection } from '../case.ts'
import { genericError, ready } from '../consent.ts'
import { check, equal, fields, ok, skip, status } from '../expect.ts'

/** §14: what administrators set. */
export const settingCases: CaseSection = {
  section: 14,
  title: 'settings',
  cases: [
    {
      id: 'P-421',
      title: 'changes a setting for the very next request',
      needs: ['admin'],
      run: (site) =>
        site.settings.with({ allow_user_api_key_scopes: 'session_info' }, async () => {
          await genericError(site, { scopes: 'read' })
          await site.settings.set('allow_user_api_key_scopes', 'read')
          await ready(site, { scopes: 'read' })
        }),
    },
    {
      id: 'P-422',
      title: 'lists settings with their values and defaults',
      needs: ['admin'],
      async run(site) {
        const { site_settings: listed } = ok(await site.admin().get('/admin/site_settings.json'))
        check(Array.isArray(listed), 'site_settings is no list')
        const found = listed.find((one: { setting?: string }) => one.setting === 'allow_user_api_key_scopes')
        fields(found, ['setting', 'value', 'default'], 'the entry of allow_user_api_key_scopes')
      },
    },
    {
      id: 'P-423',
      title: 'lets nobody but an administrator change a setting',
      needs: ['admin', 'user'],
      async run(site) {
        const path = '/admin/site_settings/allow_user_api_key_scopes.json'
        const form = { allow_user_api_key_scopes: 'read' }
        const moderator = await site.newUser()
        await site.changeUser(moderator, 'grant_moderation')
        const key = await site.approve({ scopes: 'write' }, { by: moderator.browser })
        const others = [site.visitor(), (await site.user()).browser, moderator.browser, key.api]
        const { scopes } = { scopes: 'read,write,message_bus' }
        for (const other of others) status(await other.put(path, form), 403, 404)
        await ready(site, { scopes })
      },
    },
    {
      id: 'P-424',
      title: 'refuses a scope once it is off the list',
      needs: ['admin'],
      run: (site) =>
        site.settings.with({ allow_user_api_key_scopes: 'read|session_info' }, async () => {
          await ready(site, { scopes: 'read,session_info' })
          await genericError(site, { scopes: 'notifications' })
        }),
    },
    {
      id: 'P-425',
      title: 'refuses a value out of a setting’s limits',
      needs: ['admin'],
      async run(site) {
        const name = 'revoke_user_api_keys_unused_days'
        const before = site.settings.value(name) ?? skip(`the site does not show the setting ${name}`)
        for (const value of ['36501', '-1', 'soon']) {
          const answer = await site.admin().put(`/admin/site_settings/${name}.json`, { [name]: value })
          check(answer.status >= 400 && answer.status < 500, `status is ${answer.status}`, answer)
        }
        const { site_settings: listed } = ok(await site.admin().get('/admin/site_settings.json')) as {
          site_settings: { setting: string; value: unknown }[]
        }
        equal(String(listed.find(({ setting }) => setting === name)?.value), before, name)
      },
    },
    {
      id: 'P-426',
      title: 'refuses a setting that is none',
      needs: ['admin'],
      async run(site) {
        const answer = await site
          .admin()
          .put('/admin/site_settings/no_such_setting.json', { no_such_setting: '1' })
        check(answer.status >= 400 && answer.status < 500, `status is ${answer.status}`, answer)
      },
    },
    {
      id: 'P-427',
      title: 'lets in the members of any allowed group',
      needs: ['admin'],
      run: (site) =>
        site.settings.with({ user_api_key_allowed_groups: '1|2|13' }, async () => {
          const person = await site.newUser()
          const path = await site.asking()
          equal(ok(await person.browser.get(path)).state, 'no_trust_level', 'the state')
          await site.changeUser(person, 'trust_level', { level: '3' })
          equal(ok(await person.browser.get(path)).state, 'ready', 'the state with trust level 3')
        }),
    },
  ],
}
