import { validateRedirectPattern } from './auth-redirect.ts'
import type { ScopeCatalogue } from './scopes.ts'
import type { SettingDefinition } from './settings.ts'

/** What the items of a list setting are. */
export type ItemKind = Extract<SettingDefinition, { kind: 'list' }>['items']

/** What is wrong with one item of a list setting; undefined when nothing is. */
export function itemProblem(kind: ItemKind, item: string, scopes: ScopeCatalogue): string | undefined {
  switch (kind) {
    case 'scope':
      return scopes.find(item) ? undefined : 'no scope has that name'
    case 'redirect':
      return validateRedirectPattern(item)
    case 'group':
      if (!/^[1-9][0-9]{0,9}$/.test(item)) return 'it is not the number of a group'
      // Protocol §14 keeps this one group off the list, whatever its members.
      return item === '4' ? 'this group cannot be allowed' : undefined
    case 'url':
      if (!isWebAddress(item)) return 'it is not an absolute http or https address'
      // Nothing would be sent there: a password in a list that people read is no secret.
      return new URL(item).username || new URL(item).password
        ? 'it holds a user name or a password'
        : undefined
    case 'origin':
      return isOrigin(item) ? undefined : 'it is not an origin'
    case 'address':
      return isIpRange(item) ? undefined : 'it is not an IP address'
  }
}

/** What the items of such a list must be, for whoever has to mend one. */
export function describeItems(kind: ItemKind, scopes: ScopeCatalogue): string {
  const items: Readonly<Record<ItemKind, string>> = {
    scope: `scopes out of ${scopes.names.join(', ')}`,
    redirect:
      'addresses such as https://app.example.com/callback or https://*.example.com/*, or `loopback`, or `*`',
    group:
      'numbers of groups, such as 1 for administrators, 2 for moderators and 10 to 14 for trust levels 0 to 4',
    url: 'addresses such as https://push.example.com/publish',
    origin: 'origins such as https://app.example.com, without a path',
    address: 'IP addresses or ranges such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32',
  }
  return `${items[kind]}. separate items with \`|\``
}

function isWebAddress(text: string): boolean {
  return /^https?:\/\/[\x21-\x5b\x5d-\x7e]+$/i.test(text) && URL.canParse(text)
}

function isOrigin(text: string): boolean {
  return isWebAddress(text) && new URL(text).origin === text
}

/** An IPv4 or IPv6 address, with a prefix length after a slash or without one. */
function isIpRange(text: string): boolean {
  const [address = '', prefix, more] = text.split('/')
  const isV4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/.test(address)
  const isV6 = /^[0-9a-f:.]{2,45}$/i.test(address) && URL.canParse(`http://[${address}]/`)
  if ((!isV4 && !isV6) || more !== undefined) return false
  return prefix === undefined || (/^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= (isV4 ? 32 : 128))
}
