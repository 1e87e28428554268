/**
 * What mail programs put between an answer and what it answers, by line and language. Each test looks at a bounded piece of a
 * line.
 */

/** Longer lines are text. */
const MOST_LINE = 400

const words = (...lists: readonly string[]): readonly string[] => lists.flatMap((list) => list.split('|'))

/** First words of an attribution: `On …, Joe wrote:`. */
const OPENERS = words('on|am|le|el|il|em|op|den|w dniu|dnia|dne|dňa|în data|pe data|vào|ngày')

/** What an attribution says of its author. */
const VERBS = words(
  'wrote|writes|schrieb|a écrit|escribió|ha scritto|escreveu|schreef|geschreven|skrev|kirjoitti|napisał|napsal|napísal',
  'написал|пишет|написав|yazdı|írta|έγραψε|a scris|đã viết|je napisao|je napisala|rašė|rakstīja|kirjutas',
  '写道|寫道|のメール|님이 작성',
)

/** What stands between dashes above a message that is repeated whole. */
const TITLES = new Set(words(
  'original message|forwarded message|reply message',
  'ursprüngliche nachricht|original-nachricht|originalnachricht|weitergeleitete nachricht',
  "message d'origine|message original|message transféré",
  'mensaje original|mensaje reenviado|mensagem original|mensagem encaminhada',
  'messaggio originale|messaggio inoltrato|oorspronkelijk bericht|doorgestuurd bericht',
  'ursprungligt meddelande|vidarebefordrat meddelande|oprindelig meddelelse|opprinnelig melding|videresendt melding',
  'alkuperäinen viesti|välitetty viesti|wiadomość oryginalna|oryginalna wiadomość|přeposlaná zpráva|původní zpráva',
  'eredeti üzenet|orijinal mesaj|iletilen mesaj|αρχικό μήνυμα',
  'исходное сообщение|пересылаемое сообщение|оригінальне повідомлення',
  '原始邮件|邮件原件|转发的邮件|原始郵件|轉寄郵件|元のメッセージ|転送メッセージ|원본 메시지|전달된 메시지',
))

/** Apple's lines above a message that is passed on. */
const FORWARDS = new Set(words(
  'begin forwarded message|anfang der weitergeleiteten nachricht|begin doorgestuurd bericht',
  'début du message réexpédié|début du message transféré|inicio del mensaje reenviado|início da mensagem reencaminhada',
  'inizio messaggio inoltrato|vidarebefordrat brev|videresendt besked',
))

/** Labels of the fields that Outlook and others repeat. */
const FROM_LABELS = new Set(words(
  'from|von|de|da|van|från|fra|od|lähettäjä|от|від|kimden|gönderen|από|feladó|expeditor|từ',
  '发件人|寄件者|寄件人|差出人|보낸 사람',
))
const OTHER_LABELS = new Set(words(
  'sent|date|to|subject|cc|reply-to',
  'gesendet|datum|an|betreff|antwort an',
  'envoyé|date d’envoi|à|objet',
  'enviado|enviado el|fecha|para|asunto|enviada em|enviado em|assunto',
  'inviato|data|a|oggetto|verzonden|aan|onderwerp',
  'skickat|till|ämne|sendt|dato|til|emne|lähetetty|päivämäärä|vastaanottaja|aihe',
  'wysłano|data wysłania|do|temat|odesláno|komu|předmět|elküldve|dátum|címzett|tárgy',
  'отправлено|дата|кому|тема|копия|надіслано|gönderildi|tarih|kime|konu|ημερομηνία|προς|θέμα',
  '发送时间|日期|收件人|主题|抄送|寄件日期|收件者|主旨|送信日時|日付|宛先|件名|보낸 날짜|날짜|받는 사람|제목',
))

/** How telephones and programs sign. */
const MOBILE = words(
  'sent from my |sent from mail for windows|sent from outlook|sent from yahoo mail|sent from gmail|sent from proton',
  'sent with proton|sent via |get outlook for ',
  'von meinem |gesendet von meinem |gesendet mit der |gesendet von mail für windows|gesendet von outlook',
  'outlook für |holen sie sich outlook',
  'envoyé de mon |envoyé depuis |envoyé à partir de |télécharger outlook|obtenez outlook',
  'enviado desde mi |enviado desde |obtener outlook|enviado do meu |obter o outlook',
  'inviato da |inviato dal mio |scarica outlook|ottieni outlook|verstuurd vanaf |verzonden vanaf |outlook voor ',
  'skickat från |hämta outlook|sendt fra |hent outlook|få outlook|lähetetty ',
  'wysłane z |pobierz program outlook|odesláno z |отправлено с |отправлено из |відправлено з ',
  "iphone'umdan gönderildi|iphoneから送信|发自我的|從我的|나의 iphone에서 보냄",
)

/** `>` at the start, up to three blanks before it. */
export function isQuoted(line: string): boolean {
  let at = 0
  while (at < 3 && line[at] === ' ') at++
  return line[at] === '>'
}

/** RFC 3676 §4.3, and without the blank that is easily lost. */
export function isSignatureMark(line: string): boolean {
  return line === '-- ' || line === '--'
}

/** `Sent from my …`, as the whole line. */
export function isMobileSignature(line: string): boolean {
  if (line.length > 100) return false
  const text = line.trim().toLowerCase()
  return MOBILE.some((start) => text.startsWith(start))
}

/** `-----Original Message-----`, `Begin forwarded message:`, and the line that ticket systems ask to write above of. */
export function isSeparator(line: string): boolean {
  if (line.length > MOST_LINE) return false
  const text = line.trim().toLowerCase()
  if (text.includes('reply above this line') || FORWARDS.has(withoutColon(text))) return true
  let from = 0
  let to = text.length
  while (from < to && isRule(text[from]!)) from++
  while (to > from && isRule(text[to - 1]!)) to--
  if (from < 2 || text.length - to < 2) return false
  const title = withoutColon(text.slice(from, to).trim())
  return TITLES.has(title) || attribution(`${title}:`) === 'strong'
}

/** A line of underscores, as Outlook puts it above a repeated header. */
export function isUnderline(line: string): boolean {
  const text = line.trim()
  return text.length >= 10 && text.length <= MOST_LINE && [...text].every((character) => character === '_')
}

function isRule(character: string): boolean {
  return character === '-' || character === '_' || character === '=' || character === '*' || character === '—'
}

function withoutColon(text: string): string {
  return text.endsWith(':') || text.endsWith('：') ? text.slice(0, -1).trim() : text
}

/** Which field of a repeated header the line is, if any: `From: …`, `*Sent:* …`. */
export function repeatedField(line: string): 'from' | 'other' | undefined {
  const start = line.slice(0, 40)
  const colon = start.search(/[:：]/)
  if (colon < 0) return undefined
  const label = start.slice(0, colon).replace(/[*]/g, '').trim().toLowerCase()
  return FROM_LABELS.has(label) ? 'from' : OTHER_LABELS.has(label) ? 'other' : undefined
}

/** Whether an attribution may begin here: with one of its first words, and a date. */
export function opensAttribution(line: string): boolean {
  if (line.length > MOST_LINE || !/[0-9]/.test(line)) return false
  const text = line.trim().toLowerCase()
  return OPENERS.some((opener) => text.startsWith(`${opener} `) || text.startsWith(`${opener}, `))
}

/** A colon, blanks behind it aside. */
export function endsWithColon(line: string): boolean {
  const text = line.trimEnd()
  return text.endsWith(':') || text.endsWith('：')
}

/**
 * Whether the text, lines put together, is an attribution: a verb of writing and, so that "as she wrote:" is none, an address
 * or a time of day. `weak`: only a date, so it counts only if quoted lines follow.
 */
export function attribution(text: string): 'strong' | 'weak' | undefined {
  if (text.length > MOST_LINE || !endsWithColon(text)) return undefined
  const lower = text.replace(/[\u00a0\u202f]/g, ' ').toLowerCase()
  const hasAddress = lower.includes('@')
  if (!VERBS.some((verb) => lower.includes(verb))) {
    // Japanese and others have no verb, but a time and, right before the colon, an address in brackets.
    const endsInAddress = hasAddress && withoutColon(lower.trim()).endsWith('>')
    return endsInAddress && /[0-9]:[0-9]{2}/.test(lower) ? 'weak' : undefined
  }
  if (hasAddress || /[0-9]:[0-9]{2}/.test(lower)) return 'strong'
  return /[0-9]/.test(lower) ? 'weak' : undefined
}
