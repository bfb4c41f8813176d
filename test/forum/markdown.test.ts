import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { excerptOf, maxMentions, parseText } from '../../src/forum/markdown.ts'

const cook = (raw: string, usernames: Record<string, string> = {}) =>
  parseText(raw).render(new Map(Object.entries(usernames)))

describe('parseText', () => {
  // Whoever reads a post would otherwise run what its author wrote, as themselves.
  for (const [name, raw] of [
    ['a script element', '<script>alert(1)</script>'],
    ['an event handler', '<img src=x onerror=alert(1)>'],
    ['a javascript link', '[x](javascript:alert(1))'],
    ['a javascript link in capitals', '[x](JaVaScRiPt:alert(1))'],
    ['a javascript link with a tab', '[x](java\tscript:alert(1))'],
    ['a javascript link in entities', '[x](&#106;avascript:alert(1))'],
    ['a javascript autolink', '<javascript:alert(1)>'],
    ['a data link', '[x](data:text/html;base64,PHNjcmlwdD4=)'],
    ['a vbscript link', '[x](vbscript:msgbox)'],
    ['a data picture', '![x](data:image/svg+xml;base64,PHN2Zz4=)'],
    ['a reference to a javascript link', '[x][y]\n\n[y]: javascript:alert(1)'],
    ['a title that leaves its attribute', '[x](https://a.b "\\" onclick=alert(1) \\"")'],
    ['an info string that leaves its attribute', '```x" onclick="alert(1)\ncode\n```'],
    [
      'markup in the name of a quotation',
      '[quote="<img src=x onerror=alert(1)>, post:1, topic:1"]\na\n[/quote]',
    ],
    ['markup in a mention', '@sam<script>alert(1)</script>'],
  ] as const) {
    test(`lets nothing of ${name} run`, () => {
      const html = cook(raw, { sam: 'sam' })
      assert.doesNotMatch(html.replace(/="[^"]*"/g, '=""'), /<(?:script|img|svg)|<[^>]*\son\w+=/i)
      assert.doesNotMatch(html, /(?:href|src)="\s*(?:javascript|data|vbscript)/i)
    })
  }

  test('escapes the username of a mention', () => {
    const html = cook('hello @sam', { sam: 'S"><b>' })
    assert.equal(html, '<p>hello <a class="mention" href="/u/S%22%3E%3Cb%3E">@S&quot;&gt;&lt;b&gt;</a></p>\n')
  })

  test('links a mention by the name in the directory, whatever the case of its letters', () => {
    assert.match(cook('(@sam, hi)', { sam: 'Sam' }), /\(<a class="mention" href="\/u\/Sam">@Sam<\/a>, hi\)/)
  })

  test('leaves who is not there, code, links and e-mail addresses alone', () => {
    const raw = '@nobody `@sam` [@sam](https://a.b) a@sam.example @sam_else'
    assert.deepEqual(parseText(raw).mentions, ['nobody', 'sam_else'])
    assert.doesNotMatch(cook(raw, { sam: 'Sam' }), /mention/)
  })

  test('counts at most ten mentions', () => {
    const raw = Array.from({ length: 40 }, (_, index) => `@user${index}`).join(' ')
    assert.equal(parseText(raw).mentions.length, maxMentions)
  })

  test('turns a picture into a link, so that reading a post tells no other site', () => {
    assert.equal(
      cook('![a cat](https://elsewhere.test/cat.png)'),
      '<p><a href="https://elsewhere.test/cat.png" rel="nofollow ugc noopener">a cat</a></p>\n',
    )
  })

  test('keeps line breaks, tables and code', () => {
    assert.match(cook('a\nb'), /a<br>\s*b/)
    assert.match(cook('|a|\n|-|\n|b|'), /<td>b<\/td>/)
    assert.match(cook('```js\nx < y\n```'), /<code class="language-js">x &lt; y/)
  })

  test('reads a quotation, also one inside another', () => {
    const parsed = parseText(
      '[quote="sam, post:2, topic:7"]\nouter\n\n[quote="kim"]\ninner\n[/quote]\n[/quote]\nafter',
    )
    assert.deepEqual(parsed.quotes, [
      { username: 'sam', postNumber: 2, topicId: 7 },
      { username: 'kim', postNumber: undefined, topicId: undefined },
    ])
    const html = parsed.render(new Map())
    assert.equal(html.match(/<aside class="quote">/g)?.length, 2)
    assert.match(html, /<\/aside>\s*<p>after<\/p>\s*$/)
  })

  test('leaves a quotation without an end as text', () => {
    assert.match(cook('[quote="sam"]\nno end'), /\[quote=&quot;sam&quot;\]/)
  })

  // One post would otherwise keep the server from answering anybody else.
  for (const unit of [
    '[',
    '![',
    '*_',
    '> ',
    '`',
    '[a](',
    '[quote]\n',
    '@a.',
    'http://',
    '|-|-\n',
    '~~a',
    '[x]((((',
  ]) {
    test(`takes a bounded time for ${JSON.stringify(unit)} again and again`, () => {
      const started = performance.now()
      cook(unit.repeat(32_000 / unit.length))
      assert.ok(performance.now() - started < 2000)
    })
  }
})

describe('excerptOf', () => {
  test('gives the text without markup, on one line, cut with an ellipsis', () => {
    const cooked = cook('# Title\n\nSome **bold** & `code`\nmore')
    assert.equal(excerptOf(cooked, 100), 'Title Some bold & code more')
    assert.equal(excerptOf(cooked, 10), 'Title Some…')
  })
})
