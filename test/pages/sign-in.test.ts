import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { signInPage } from '../../src/pages/sign-in.ts'
import { refusal } from '../../src/protocol/errors.ts'
import { elements, hiddenFields, textOf } from './markup.ts'

const model = { siteTitle: 'Meadow', csrfToken: 'token-1', action: '/login', redirect: '/a?b=1&c=2' }
const input = (page: string, name: string) =>
  elements(page).find(({ tag, attributes }) => tag === 'input' && attributes.name === name)?.attributes

describe('signInPage', () => {
  const page = signInPage(model).toString()

  test('has the fields that clients post, each known to password managers', () => {
    assert.equal(input(page, 'username')?.autocomplete, 'username')
    assert.equal(input(page, 'password')?.autocomplete, 'current-password')
    assert.equal(input(page, 'password')?.type, 'password')
    assert.equal(new Map(hiddenFields(page, '/login')).get('redirect'), '/a?b=1&c=2')
  })

  test('says which app waits, and that it does not see the password', () => {
    const waiting = textOf(signInPage({ ...model, applicationName: 'My app' }).toString())
    assert.match(waiting, /to continue to “ My app ”/)
    assert.match(waiting, /The app never sees it/)
    assert.doesNotMatch(textOf(page), /The app/)
  })

  test('keeps the username after a failure, says why, and goes on at the password', () => {
    const failed = signInPage({ ...model, login: 'a"da', refusal: refusal('credentials_invalid') }).toString()
    assert.equal(input(failed, 'username')?.value, 'a"da')
    assert.equal(input(failed, 'password')?.['aria-describedby'], 'sign-in-problem')
    assert.notEqual(input(failed, 'password')?.autofocus, undefined)
    assert.match(failed, /id="sign-in-problem" role="alert"/)
    assert.equal(input(failed, 'password')?.value, undefined)
  })

  test('says how long to wait', () => {
    const details = { limit: 'max_sign_in_attempts_per_hour', wait_seconds: 900, time_left: '15 minutes' }
    const limited = signInPage({ ...model, refusal: refusal('rate_limited', details) }).toString()
    assert.match(textOf(limited), /wait 15 minutes, then try again/)
  })
})
