import type { FileKind } from './file-type.ts'

const kinds: Readonly<Record<FileKind, string>> = {
  executable:
    'exe com scr pif cpl dll sys drv ocx efi msi msp mst msix msixbundle appx appxbundle apk xapk ipa app dmg pkg deb rpm run ' +
    'jar jnlp xll wll gadget air xbap application appref-ms diagcab',
  script:
    'bat cmd vb vbs vbe js jse mjs cjs ws wsf wsc wsh hta ps1 ps1xml ps2 psc1 psd1 psm1 sh bash zsh csh ksh command scpt ' +
    'applescript py pyc pyw rb pl reg inf sct scf lnk url website desktop msc chm hlp shb shs settingcontent-ms library-ms ' +
    'search-ms searchconnector-ms ade adp mde iqy slk theme themepack',
  macro: 'docm dotm xlsm xltm xlam xlsb pptm potm ppam ppsm sldm one onepkg',
  archive:
    'zip zipx rar r00 7z tar gz tgz bz bz2 tbz tbz2 xz txz zst tzst lz lz4 lzma lzh lha z cab arj ace arc alz egg uue xxe tnef',
  disk: 'iso img vhd vhdx wim udf vmdk',
}

const byExtension: ReadonlyMap<string, FileKind> = new Map(
  (Object.keys(kinds) as FileKind[]).flatMap((kind) => kinds[kind].split(' ').map((extension) => [extension, kind] as const)),
)

/** Extensions that look harmless before another one. */
const harmless: ReadonlySet<string> = new Set(
  ('txt pdf doc docx odt rtf xls xlsx ods csv ppt pptx odp jpg jpeg png gif bmp tif tiff webp svg heic mp3 mp4 avi mov wav htm ' +
    'html eml').split(' '),
)

/** Characters that turn the direction of what follows: `exe.fdp` for `pdf.exe` (RTLO). */
const TURNS = /[\u202a-\u202e\u2066-\u2069]/
/** Characters that nobody sees. */
const UNSEEN = /[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u00ad\p{Cc}]/gu

/** What a name says of its file, as systems understand it. */
export interface FileName {
  /** Lower case, without its dot; empty where there is none. */
  readonly extension: string
  readonly kind: FileKind | undefined
  /** What about it is to deceive people, in words. */
  readonly deceptive: string | undefined
}

/** Reads the name of a file as the system would that opens it: what it strips off, or does not show, is no part of it. */
export function readFileName(name: string): FileName {
  const last = name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1)
  const seen = last.normalize('NFKC').replace(UNSEEN, '')
  // Windows takes a colon for the beginning of a stream's name, and strips dots and blanks.
  const plain = trimmed(seen.split(':', 1)[0]!).toLowerCase()
  const [extension, before] = extensionOf(plain)
  const kind = byExtension.get(extension)
  return { extension, kind, deceptive: deception(last, seen, kind, before) }
}

function deception(last: string, seen: string, kind: FileKind | undefined, before: string): string | undefined {
  if (TURNS.test(last)) return 'its name changes the direction of writing'
  if (/\p{Cc}/u.test(last)) return 'its name has control characters'
  const isRisky = kind !== undefined && kind !== 'archive'
  if (isRisky && trimmed(seen) !== seen.trimStart()) return 'its name ends in dots or blanks'
  const [inner] = extensionOf(trimmed(before))
  if (isRisky && harmless.has(inner)) return 'its name has two extensions'
  if (isRisky && /\s{4}/.test(before)) return 'its name hides its extension behind blanks'
  return undefined
}

/** The extension, and what stands before it. */
function extensionOf(name: string): readonly [extension: string, before: string] {
  const dot = name.lastIndexOf('.')
  return dot < 0 ? ['', name] : [name.slice(dot + 1).trim(), name.slice(0, dot)]
}

/** Without dots and blanks at the end. */
function trimmed(name: string): string {
  let end = name.length
  while (end > 0 && (name[end - 1] === '.' || name[end - 1]!.trim() === '')) end--
  return name.slice(0, end).trimStart()
}
