/**
 * What a file is as far as policies care:
 *
 * - `executable`: programs, libraries, packages that install themselves
 * - `script`: what an interpreter of the system runs, and shortcuts that make it
 * - `macro`: documents that carry programs
 * - `archive`: what holds other files
 * - `disk`: images of disks, which hold files past the marks that systems put on downloads
 */
export type FileKind = 'executable' | 'script' | 'macro' | 'archive' | 'disk'

/** What the first octets of a file say. */
export interface FileType {
  /** A short name: `zip`, `pe`. */
  readonly format: string
  readonly kind: FileKind | undefined
}

/** Octets that {@link fileType} looks at. */
export const TYPE_OCTETS = 512

interface Mark extends FileType {
  readonly at: number
  readonly octets: readonly number[]
}

const ascii = (text: string): number[] => [...text].map((character) => character.charCodeAt(0))
const mark = (format: string, kind: FileKind | undefined, octets: readonly number[] | string, at = 0): Mark =>
  ({ format, kind, at, octets: typeof octets === 'string' ? ascii(octets) : octets })

const marks: readonly Mark[] = [
  mark('zip', 'archive', 'PK\x03\x04'),
  mark('zip', 'archive', 'PK\x05\x06'),
  mark('zip', 'archive', 'PK\x07\x08PK'),
  mark('rar', 'archive', 'Rar!\x1a\x07'),
  mark('7z', 'archive', [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]),
  mark('gzip', 'archive', [0x1f, 0x8b, 8]),
  mark('compress', 'archive', [0x1f, 0x9d]),
  mark('bzip2', 'archive', 'BZh'),
  mark('xz', 'archive', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]),
  mark('zstd', 'archive', [0x28, 0xb5, 0x2f, 0xfd]),
  mark('lz4', 'archive', [0x04, 0x22, 0x4d, 0x18]),
  mark('tar', 'archive', 'ustar', 257),
  mark('cab', 'archive', 'MSCF\0\0\0\0'),
  mark('arj', 'archive', [0x60, 0xea]),
  mark('lzh', 'archive', '-lh', 2),
  mark('ace', 'archive', '**ACE**', 7),
  mark('tnef', 'archive', [0x78, 0x9f, 0x3e, 0x22]),
  mark('ar', 'archive', '!<arch>\n'),
  mark('rpm', 'archive', [0xed, 0xab, 0xee, 0xdb]),
  mark('elf', 'executable', '\x7fELF'),
  mark('mach-o', 'executable', [0xfe, 0xed, 0xfa, 0xce]),
  mark('mach-o', 'executable', [0xfe, 0xed, 0xfa, 0xcf]),
  mark('mach-o', 'executable', [0xce, 0xfa, 0xed, 0xfe]),
  mark('mach-o', 'executable', [0xcf, 0xfa, 0xed, 0xfe]),
  // Of the Mac for several processors, or of Java.
  mark('mach-o', 'executable', [0xca, 0xfe, 0xba, 0xbe]),
  mark('dex', 'executable', 'dex\n'),
  mark('wasm', 'executable', '\0asm'),
  mark('pe', 'executable', 'MZ'),
  mark('lnk', 'script', [0x4c, 0, 0, 0, 0x01, 0x14, 0x02, 0]),
  mark('chm', 'script', 'ITSF'),
  mark('script', 'script', '#!'),
  mark('ole', undefined, [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]),
  mark('onenote', 'macro', [0xe4, 0x52, 0x5c, 0x7b, 0x8c, 0xd8, 0xa7, 0x4d]),
  mark('vhd', 'disk', 'conectix'),
  mark('vhdx', 'disk', 'vhdxfile'),
  mark('wim', 'disk', 'MSWIM\0\0\0'),
  mark('pdf', undefined, '%PDF-'),
]

/** Tells a file by its first octets ({@link TYPE_OCTETS} are enough); `undefined` for what policies do not care about. */
export function fileType(head: Uint8Array): FileType | undefined {
  return marks.find(({ at, octets }) => octets.every((octet, index) => head[at + index] === octet))
}
