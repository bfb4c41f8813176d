import type { Settings } from '../protocol/settings.ts'

/** Whether notifications are pushed for a key (protocol §9, with §19a: its address is an item of the list, exactly). */
export function hasPush(
  key: { readonly pushUrl?: string | null; readonly scopes: readonly string[] },
  settings: Settings,
): boolean {
  return (
    typeof key.pushUrl === 'string' &&
    key.scopes.some((scope) => scope === 'push' || scope === 'notifications') &&
    settings.allowed_user_api_push_urls.includes(key.pushUrl)
  )
}
