import fc from 'fast-check'
import iconv from 'iconv-lite'
import { describe, expect, it } from 'vitest'
import { decodeUtf7 } from '../../src/message/utf7.ts'
import { octets } from '../../src/protocol/bytes/text.ts'

describe('UTF-7', () => {
  it.each([
    ['', ''],
    ['plain text = 1', 'plain text = 1'],
    ['+-', '+'],
    ['1 +- 1', '1 + 1'],
    ['A+ImIDkQ.', 'A≢Α.'],
    ['Hi Mom -+Jjo--!', 'Hi Mom -☺-!'],
    ['+ZeVnLIqe-', '日本語'],
    ['+ZeVnLIqe', '日本語'],
    ['+2D3eAA-', '😀'],
    ['+AOk-+AOk-', 'éé'],
    ['+AOk\r\nb', 'é\r\nb'],
    ['+', ''],
    ['+ a', ' a'],
    ['+A', ''],
    ['+AO-', ''],
    ['+2D0-a', '\ufffda'],
    ['a\xe9', 'a\ufffd'],
    ['+\xe9', '\ufffd'],
    ['+AOk\xe9', 'é\ufffd'],
    ['+/v8-a', 'a'],
  ])('%j is %j', (coded, text) => {
    expect(decodeUtf7(octets(coded))).toBe(text)
  })

  it('is what another encoder makes of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        fc.pre(!text.startsWith('\ufeff'))
        expect(decodeUtf7(iconv.encode(text, 'utf-7'))).toBe(text)
      }),
      { numRuns: 1000 },
    )
  })

  it('is decoded whatever it is', () => {
    const unit = fc.constantFrom(...octets('+++---AOk/\xff\0\n'))
    fc.assert(fc.property(fc.array(unit), (coded) => decodeUtf7(Uint8Array.from(coded)).length <= coded.length))
  })
})
