import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encode } from 'uqr'
import { qrCode } from '../../src/pages/qr-code.ts'
import { elements } from './markup.ts'

const link = 'https://forum.example.com/user-api-key/activate?request=ABCD2345'

/** Paints the rectangles of a path onto a raster of `size`, as a browser would. */
function rasterize(path: string, size: number): boolean[][] {
  const raster = Array.from({ length: size }, () => Array.from({ length: size }, () => false))
  for (const [, x = '', y = '', width = '', back = ''] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-(\d+)z/g)) {
    assert.equal(back, width)
    for (let column = Number(x); column < Number(x) + Number(width); column += 1) {
      const row = raster[Number(y)]
      assert.equal(row?.[column], false, 'painted twice, or outside')
      row[column] = true
    }
  }
  return raster
}

describe('qrCode', () => {
  const svg = String(qrCode(link, 'A <label>'))
  const [image, white, black] = elements(svg).filter(({ closing }) => !closing)

  test('paints every module of the code and nothing else', () => {
    const { data, size } = encode(link, { ecc: 'M', border: 4 })
    assert.equal(image?.attributes.viewBox, `0 0 ${size} ${size}`)
    const path = black?.attributes.d ?? ''
    assert.equal(path.replace(/M\d+ \d+h\d+v1h-\d+z/g, ''), '')
    assert.deepEqual(rasterize(path, size), data)
  })

  test('has the three finder patterns in its corners, and four modules of quiet around', () => {
    const size = Number(image?.attributes.viewBox?.split(' ')[2])
    const raster = rasterize(black?.attributes.d ?? '', size)
    const finder = ['1111111', '1000001', '1011101', '1011101', '1011101', '1000001', '1111111']
    const at = (x: number, y: number) =>
      finder.map((_, row) =>
        (raster[y + row] ?? [])
          .slice(x, x + 7)
          .map((isDark) => (isDark ? '1' : '0'))
          .join(''),
      )
    for (const [x, y] of [
      [4, 4],
      [size - 11, 4],
      [4, size - 11],
    ] as const)
      assert.deepEqual(at(x, y), finder)
    const edge = raster.filter((_, row) => row < 4 || row >= size - 4).flat()
    const sides = raster.flatMap((row) => [...row.slice(0, 4), ...row.slice(-4)])
    assert.ok(![...edge, ...sides].includes(true))
  })

  test('is black on white whatever the page’s colours, and has a name', () => {
    assert.equal(white?.attributes.fill, '#fff')
    assert.equal(black?.attributes.fill, '#000')
    assert.equal(image?.attributes.role, 'img')
    assert.equal(image.attributes['aria-label'], 'A <label>')
    assert.doesNotMatch(svg, /style=/)
  })

  test('is left out for a text that is too long for one', () => {
    assert.notEqual(qrCode('x'.repeat(1000), 'label'), undefined)
    assert.equal(qrCode('x'.repeat(5000), 'label'), undefined)
  })
})
