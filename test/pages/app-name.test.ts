import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { quotedName, readableName } from '../../src/pages/app-name.ts'
import { endlessName, turningName } from './samples.ts'

describe('readableName', () => {
  const names = [
    ['My app', 'My app', 'leaves an ordinary name alone'],
    ['  two\n\nlines\t here ', 'two lines here', 'makes one line of several'],
    [
      turningName,
      'Meadowgnp.ppa verified Signed inas admin',
      'takes out what turns text around or is unseen',
    ],
    ['', 'an app without a name', 'has words for no name'],
    ['\u202e\u200b \u0000', 'an app without a name', 'has words for a name of unseen characters'],
    ['\u200d\u200d', 'an app without a name', 'has words for a name of joiners'],
    ['👩‍💻 تطبيق نمونه', '👩‍💻 تطبيق نمونه', 'keeps other scripts and joined emoji'],
    [
      `Z${'\u0301'.repeat(50)}algo`,
      'Z\u0301'.normalize('NFC') + '\u0301'.repeat(4) + 'algo',
      'thins piles of marks',
    ],
    ['\ud800broken', 'broken', 'drops half a character'],
  ] as const
  for (const [name, shown, guarantee] of names) {
    test(guarantee, () => assert.equal(readableName(name), shown))
  }

  test('ends a name of 500 characters after 80', () => {
    assert.equal(readableName(endlessName), `${'W'.repeat(80)}…`)
  })
})

describe('quotedName', () => {
  // A name with a quotation mark in it could go on as if the page itself were speaking.
  test('cannot be ended by a quotation mark inside', () => {
    const shown = quotedName('Mine” is safe. “Yes').toString()
    assert.equal(shown.match(/[“”]/g)?.join(''), '“”')
    assert.match(shown, /“<bdi>Mine’ is safe\. ’Yes<\/bdi>”/)
  })
})
