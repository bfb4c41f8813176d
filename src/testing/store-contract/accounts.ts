import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { AccountChange } from '../../domain/store.ts'
import { account, now } from './samples.ts'
import { assertTaken, type OpenStore, storeTest } from './store-test.ts'

const changes: readonly AccountChange[] = [
  { admin: true },
  { admin: true, moderator: true, trustLevel: 4 },
  { active: false },
  { suspendedUntil: now + 1 },
  { passwordHash: '$other', name: '' },
  { email: '' },
  {},
]

export function accountsContract(openStore: OpenStore): void {
  describe('accounts', () => {
    const test = storeTest(openStore)

    test('the first accounts get the ids 1 and 2', async (store) => {
      assert.equal(await store.accounts.count(), 0)
      assert.equal((await store.accounts.insert(account())).id, 1)
      assert.equal((await store.accounts.insert(account({ username: 'bob', email: '' }))).id, 2)
      assert.equal(await store.accounts.count(), 2)
    })

    test('an account that was inserted is found by its id, as it was given', async (store) => {
      const given = account({ username: 'Älice_1', admin: true, active: false, suspendedUntil: now + 9 })
      const inserted = await store.accounts.insert(given)
      assert.deepEqual(inserted, { ...given, id: inserted.id })
      assert.deepEqual(await store.accounts.findById(inserted.id), inserted)
      assert.equal(await store.accounts.findById(inserted.id + 1), undefined)
    })

    test('is found by username, whatever the case of its letters', async (store) => {
      const inserted = await store.accounts.insert(account({ username: 'Älice' }))
      for (const username of ['Älice', 'äLICE', 'ÄLICE']) {
        assert.deepEqual(await store.accounts.findByUsername(username), inserted)
        assert.deepEqual(await store.accounts.findByLogin(username), inserted)
      }
      assert.equal(await store.accounts.findByUsername('alice'), undefined)
    })

    test('is found by e-mail as a login, whatever the case, but not as a username', async (store) => {
      const inserted = await store.accounts.insert(account({ email: 'Alice@Example.com' }))
      assert.deepEqual(await store.accounts.findByLogin('alice@EXAMPLE.com'), inserted)
      assert.equal(await store.accounts.findByUsername('alice@example.com'), undefined)
      assert.equal(await store.accounts.findByLogin('nobody@example.com'), undefined)
    })

    // Otherwise somebody could give another's address, and that person's sign-in would reach the wrong account.
    test('an e-mail given twice finds the account that had it first', async (store) => {
      const first = await store.accounts.insert(account())
      await store.accounts.insert(account({ username: 'mallory', email: 'ALICE@example.com' }))
      assert.deepEqual(await store.accounts.findByLogin('alice@example.com'), first)
    })

    test('wildcards and an empty text find nothing', async (store) => {
      await store.accounts.insert(account({ email: '' }))
      for (const text of ['', '%', 'a%', '_lice', '@', '%@%']) {
        assert.equal(await store.accounts.findByLogin(text), undefined)
      }
    })

    test('refuses a username that is taken, in any case', async (store) => {
      await store.accounts.insert(account({ username: 'Älice' }))
      await assertTaken('username', store.accounts.insert(account({ username: 'äLICE' })))
      assert.equal(await store.accounts.count(), 1)
    })

    for (const change of changes) {
      test(`changes ${Object.keys(change).join(', ') || 'nothing'}, of that account alone`, async (store) => {
        const inserted = await store.accounts.insert(account())
        const other = await store.accounts.insert(account({ username: 'bob' }))
        await store.accounts.update(inserted.id, change)
        assert.deepEqual(await store.accounts.findById(inserted.id), { ...inserted, ...change })
        assert.deepEqual(await store.accounts.findById(other.id), other)
      })
    }

    test('a suspension can be lifted', async (store) => {
      const inserted = await store.accounts.insert(account({ suspendedUntil: now }))
      await store.accounts.update(inserted.id, { suspendedUntil: null })
      assert.equal((await store.accounts.findById(inserted.id))?.suspendedUntil, null)
    })

    test('a changed e-mail is the one that finds the account', async (store) => {
      const { id } = await store.accounts.insert(account())
      await store.accounts.update(id, { email: 'New@example.com' })
      assert.equal((await store.accounts.findByLogin('new@example.com'))?.id, id)
      assert.equal(await store.accounts.findByLogin('alice@example.com'), undefined)
    })
  })
}
