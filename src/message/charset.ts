import iconv from 'iconv-lite'
import { decodeUtf8 } from '../protocol/bytes/text.ts'
import { decodeUtf7 } from './utf7.ts'

/** What windows-1252 puts at octets 128–159; everywhere else it is Latin-1. */
const UPPER =
  '\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f' +
  '\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178'

/** The charsets of the Encoding standard, all of them in TextDecoder. */
const STANDARD = [
  'utf-8', 'ibm866', 'iso-8859-2', 'iso-8859-3', 'iso-8859-4', 'iso-8859-5', 'iso-8859-6', 'iso-8859-7', 'iso-8859-8',
  'iso-8859-8-i', 'iso-8859-10', 'iso-8859-13', 'iso-8859-14', 'iso-8859-15', 'iso-8859-16', 'koi8-r', 'koi8-u', 'macintosh',
  'windows-874', 'windows-1250', 'windows-1251', 'windows-1253', 'windows-1254', 'windows-1255', 'windows-1256',
  'windows-1257', 'windows-1258', 'x-mac-cyrillic', 'gbk', 'gb18030', 'big5', 'euc-jp', 'iso-2022-jp', 'shift_jis', 'euc-kr',
  'utf-16be', 'utf-16le',
]

/** What mail calls them, written as {@link compressed} leaves it. */
const ALIASES: Readonly<Record<string, string>> = {
  'utf-8': 'unicode11utf8 utf8mb4 utf8mb3 xutf8 cp65001 utf8n utf',
  // Octets 128–159 are control characters in Latin-1, which nobody means who sends them.
  'windows-1252': 'cp1252 xcp1252 win1252 windows1252 1252 iso88591 88591 xlatin1 latin1 l1 isolatin1 ansi cp819 ibm819',
  'windows-1250': 'cp1250 win1250 xcp1250',
  'windows-1251': 'cp1251 win1251 xcp1251',
  'windows-1253': 'cp1253 win1253',
  'windows-1254': 'cp1254 win1254 iso88599 latin5 l5',
  'windows-1255': 'cp1255 win1255',
  'windows-1256': 'cp1256 win1256',
  'windows-1257': 'cp1257 win1257',
  'windows-1258': 'cp1258 win1258',
  'windows-874': 'cp874 tis620 iso885911 dos874 ms874',
  'iso-8859-2': 'latin2 l2',
  'iso-8859-3': 'latin3 l3',
  'iso-8859-4': 'latin4 l4',
  'iso-8859-8': 'iso88598e logical',
  'iso-8859-10': 'latin6 l6',
  'iso-8859-15': 'latin9 latin0 l9',
  'iso-8859-16': 'latin10',
  ibm866: 'cp866 866',
  'koi8-r': 'koi koi8',
  'koi8-u': 'koi8ru',
  macintosh: 'mac macroman xmacroman',
  'x-mac-cyrillic': 'xmacukrainian maccyrillic',
  gbk: 'gb2312 cp936 ms936 xgbk windows936 chinese csgb2312 gb231280 euccn xeuccn isoir58 csiso58gb231280',
  gb18030: 'gb180302005 gb180302000',
  big5: 'big5hkscs big5tw cnbig5 csbig5 xxbig5 xbig5 cp950 ms950 windows950',
  'euc-jp': 'xeucjp eucjpms cp51932',
  'iso-2022-jp': 'iso2022jp1 iso2022jp2 iso2022jp3 iso2022jpms cp50220 cp50221 cp50222 csiso2022jp jis',
  shift_jis: 'sjis xsjis ms932 cp932 mskanji windows31j csshiftjis windows932',
  'euc-kr': 'ksc56011987 ksc5601 ksc56011989 korean cp949 ms949 uhc windows949 xwindows949 csksc56011987 cseuckr ksx1001',
  'utf-16le': 'ucs2le utf16lebom unicode iso10646ucs2 ucs2 utf16l',
  'utf-16be': 'ucs2be unicodefffe',
}

/** By compressed name, the charset that decodes it. */
const names = new Map<string, string>()
for (const name of STANDARD) names.set(compressed(name), name)
for (const [name, aliases] of Object.entries(ALIASES)) for (const alias of aliases.split(' ')) names.set(alias, name)

/** What TextDecoder lacks and iconv-lite has: the DOS and Macintosh pages that mail still carries, and UTF-32. */
const RARE = new Set([
  'utf16', 'utf32', 'utf32le', 'utf32be', 'hproman8', 'armscii8', 'viscii', 'tcvn', 'georgianps', 'rk1048', 'pt154',
  'mik', 'maccenteuro', 'maccroatian', 'macgreek', 'maciceland', 'macromania', 'macthai', 'macturkish',
  'cp437', 'cp720', 'cp737', 'cp775', 'cp850', 'cp852', 'cp855', 'cp856', 'cp857', 'cp858', 'cp860', 'cp861', 'cp862', 'cp863',
  'cp864', 'cp865', 'cp869', 'cp922', 'cp1046', 'cp1124', 'cp1125', 'cp1129', 'cp1133', 'cp1161', 'cp1162', 'cp1163',
])
for (const page of [...RARE]) if (page.startsWith('cp')) names.set(`ibm${page.slice(2)}`, page)
for (const name of RARE) names.set(name, name)
names.set('utf7', 'utf7').set('unicode11utf7', 'utf7')
names.set('xmacce', 'maccenteuro').set('xmacturkish', 'macturkish').set('xmacgreek', 'macgreek')

/** Decoders made so far; no more than there are names in {@link STANDARD}. */
const decoders = new Map<string, InstanceType<typeof TextDecoder>>()

/**
 * The text of `bytes` in `charset`, whatever is wrong with either; never throws.
 *
 * Names are matched as mail writes them: any case, quotes, a language behind `*` (RFC 2231), hyphens and underscores missing
 * or added, the usual aliases. Latin-1 and ASCII are read as windows-1252, as the Encoding standard does. Where the name says
 * nothing (absent, `us-ascii`, `x-unknown`, unheard of) the text is UTF-8 if it is valid UTF-8, else windows-1252. Octets that
 * the charset does not have become U+FFFD. A byte order mark is dropped.
 */
export function decodeText(bytes: Uint8Array, charset?: string): string {
  const name = charset === undefined ? undefined : names.get(compressed(charset))
  if (name === undefined) return decodeUnlabelled(bytes)
  if (name === 'windows-1252') return decodeWindows1252(bytes)
  if (name === 'utf7') return decodeUtf7(bytes)
  try {
    if (RARE.has(name)) return iconv.decode(bytes, name)
    let decoder = decoders.get(name)
    if (!decoder) decoders.set(name, (decoder = new TextDecoder(name)))
    return decoder.decode(bytes)
  } catch {
    // A platform built without its charset tables: iconv-lite has most of them, and something beats nothing.
    return iconv.encodingExists(name) ? iconv.decode(bytes, name) : decodeUnlabelled(bytes)
  }
}

/** The text of bytes that come without a charset, as 8-bit header fields do: UTF-8 where valid (RFC 6532), else windows-1252. */
export function decodeUnlabelled(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes)
  if (text === undefined) return decodeWindows1252(bytes)
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

/** Whether {@link decodeText} knows the name, rather than falling back to a guess. `us-ascii` counts as known. */
export function isCharset(name: string): boolean {
  return names.has(compressed(name)) || ASCII.has(compressed(name))
}

const ASCII = new Set(['usascii', 'ascii', 'ansix341968', 'iso646us', 'cp367', 'ibm367', 'us'])

/** Letters and digits alone, lower case, up to a language suffix; names too long to be one are cut. */
function compressed(charset: string): string {
  let name = ''
  for (let at = 0; at < charset.length && name.length < 24; at++) {
    const unit = charset.charCodeAt(at)
    if (unit === 0x2a || unit === 0x3b) break
    if ((unit >= 0x30 && unit <= 0x39) || (unit >= 0x61 && unit <= 0x7a)) name += charset[at]
    else if (unit >= 0x41 && unit <= 0x5a) name += String.fromCharCode(unit | 0x20)
  }
  return name
}

/** By what the Encoding standard calls it, the charset that {@link decodeText} takes a name for; `undefined`: it guesses. */
export function charsetName(charset: string | undefined): string | undefined {
  return charset === undefined ? undefined : names.get(compressed(charset))
}

/** Octets that {@link decodeWindows1252} turns into UTF-16 at a time. */
const CHUNK = 16_384
const utf16 = new TextDecoder('utf-16le')

/** Not left to TextDecoder: Node 20 decodes octets 128–159 as control characters under this name. */
function decodeWindows1252(bytes: Uint8Array): string {
  let text = ''
  const units = new Uint8Array(2 * Math.min(bytes.length, CHUNK))
  for (let from = 0; from < bytes.length; from += CHUNK) {
    const count = Math.min(CHUNK, bytes.length - from)
    for (let at = 0; at < count; at++) {
      const octet = bytes[from + at]!
      const unit = octet >= 0x80 && octet < 0xa0 ? UPPER.charCodeAt(octet - 0x80) : octet
      units[2 * at] = unit & 255
      units[2 * at + 1] = unit >> 8
    }
    text += utf16.decode(units.subarray(0, 2 * count))
  }
  return text
}
