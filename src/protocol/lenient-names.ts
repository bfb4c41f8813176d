/**
 * Names as lenient programs read them. A decision is made on a name as it was sent; the application's parser may take
 * another name for the same. What is here errs on one side: what any parser in use could read so, counts as read so.
 */

/**
 * Whether a program could read `sent`, the name of a parameter, as `name`, or as something inside it or around it,
 * although it is not that very name. By PHP (` x`, `a.b`, `a[b`, NUL), qs and Rack (`[x]`, `x[]`, `x[y]`), Rails
 * (`wrapper[x]`), ASP.NET (letter case, `prefix.x`, `%u0078`), Spring (`_x`, `!x`), Zope (`x:int`), Go's and .NET's JSON
 * (letter case), and those that turn `customerId` into `customer_id`.
 */
export function couldBeReadAs(sent: string, name: string): boolean {
  if (sent === name) return false
  const wanted = fold(name)
  if (wanted === '') return false
  if (isSame(fold(sent), wanted)) return true
  const segments = uncoded(sent)
    .split(/[[\](){}.:]+/)
    .filter((segment) => fold(segment) !== '')
  const [first = '', second = ''] = segments
  // One level around it and no more: `order[customer][id]` is an id of something else.
  return isSame(fold(first), wanted) || (segments.length === 2 && isSame(fold(second), wanted))
}

/**
 * The names in a query or a form. Behind a `;`, where some programs begin another parameter, they come with the `;`,
 * and so are never the very name.
 */
export function namesInForm(form: URLSearchParams): readonly string[] {
  return [...form].flatMap(([name, value]) => {
    const [, ...hidden] = name.includes(';') || value.includes(';') ? `${name}=${value}`.split(';') : ['']
    return [name, ...hidden.map((piece) => `;${piece}`)]
  })
}

/**
 * The names in the object that a JSON body holds. Those of an object in it come in brackets: a program that wants
 * `order.customer_id` finds it in `{"order":{"customer_id":13}}`, and one that wants `customer_id` beside it.
 */
export function namesInObject(body: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(body).flatMap(([name, value]) => {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? [name, ...Object.keys(value).map((inner) => `[${inner}]`)] : [name]
  })
}

/** A header's name as the laxest reader has it: in lower case, and whatever is no letter or digit is `-`. */
export function plainHeaderName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-')
}

/** Spring clears `x` for `_x`; PHP makes `_x` of `.x`. */
function isSame(folded: string, wanted: string): boolean {
  return folded === wanted || folded === `_${wanted}`
}

/**
 * Letters and digits alone, in one case, so that every way to write what parts words is the same. A `_` that it begins
 * with stays, because `_method` is not `method`.
 */
function fold(text: string): string {
  const plain = isPlain.test(text) ? text : widthless(uncoded(text))
  const start = plain.search(letter)
  if (start === -1) return ''
  const isMarked = /[_.]/.test(plain.slice(0, start))
  return (isMarked ? '_' : '') + plain.slice(start).toLowerCase().replace(notLetter, '')
}

const isPlain = /^[\w-]*$/
const letter = /[\p{L}\p{N}]/u
const notLetter = /[^\p{L}\p{N}]+/gu

/** Through capitals, since some small letters become ASCII's only so: `ſ` is `S`, as it is to Go. */
function widthless(text: string): string {
  return text.normalize('NFKC').toUpperCase()
}

/** Decoded once more, `%u0078` too, and cut where a program in C would end it, or where a value would begin. */
function uncoded(text: string): string {
  const decoded = text.includes('%')
    ? text.replace(/%(?:u([0-9a-f]{4})|([0-9a-f]{2}))/gi, (_, wide: string | undefined, byte: string) =>
        String.fromCharCode(Number.parseInt(wide ?? byte, 16)),
      )
    : text
  return decoded.split(/[\0=]/, 1)[0] ?? ''
}
