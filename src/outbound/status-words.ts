/** What a status code means to a person, and what they can do about it. */
export interface StatusWords {
  readonly reason: string
  readonly advice?: string
}

const CHECK = 'Check the address for typing errors, or ask the recipient for the right one another way.'
const LATER = 'Send the message again later, or reach the recipient another way.'
const SMALLER = 'Send it in a smaller form: without large attachments, or with a link to them.'
const ADMINISTRATORS = 'Only the administrators of that system can change this.'

/** By subject and detail of RFC 3463 §3 and the IANA registry of enhanced status codes; the class says for how long. */
const WORDS: ReadonlyMap<string, StatusWords> = new Map<string, StatusWords>([
  ['1.1', { reason: 'There is no mailbox of that name.', advice: CHECK }],
  ['1.2', { reason: 'The domain of the address does not exist or takes no mail.', advice: CHECK }],
  ['1.3', { reason: 'The address is not written as addresses are.', advice: CHECK }],
  ['1.4', { reason: 'The address belongs to more than one recipient.', advice: CHECK }],
  ['1.6', { reason: 'The mailbox has moved, and nobody knows where to.', advice: CHECK }],
  ['1.8', { reason: 'Your own address was refused: its domain was not found.' }],
  ['1.10', { reason: 'The domain of the address says that it takes no mail.', advice: CHECK }],
  ['2.1', { reason: 'The mailbox is switched off and takes no mail.' }],
  ['2.2', { reason: "The recipient's mailbox is full.", advice: LATER }],
  ['2.3', { reason: 'The message is larger than the recipient accepts.', advice: SMALLER }],
  ['2.4', { reason: 'The address is a mailing list that could not be expanded.' }],
  ['3.1', { reason: "The recipient's mail system has no room left.", advice: LATER }],
  ['3.2', { reason: "The recipient's mail system takes no mail at present.", advice: LATER }],
  ['3.4', { reason: "The message is larger than the recipient's mail system accepts.", advice: SMALLER }],
  ['4.1', { reason: "The recipient's mail system did not answer." }],
  ['4.2', { reason: "The connection to the recipient's mail system broke." }],
  ['4.3', { reason: "The recipient's mail system could not be looked up." }],
  ['4.4', { reason: "There is no way to the recipient's mail system.", advice: CHECK }],
  ['4.5', { reason: "The recipient's mail system is overloaded.", advice: LATER }],
  ['4.6', { reason: 'The message went round in circles: the address is forwarded back to itself.' }],
  ['4.7', { reason: 'The message could not be delivered within the time allowed for it.', advice: LATER }],
  ['5.3', { reason: 'The message has more recipients than were accepted at once.' }],
  ['6.1', { reason: 'The recipient does not accept what the message contains.' }],
  ['6.3', { reason: "The message would have to be converted for the recipient's mail system, which is not possible." }],
  ['6.7', { reason: "The recipient's mail system does not support addresses with such characters." }],
  ['7.1', { reason: 'The message was refused: you may not send to this address, or the message looked unwanted.' }],
  ['7.2', { reason: 'You may not send to this mailing list.' }],
  ['7.4', { reason: 'The security that was asked for is not available on the way to the recipient.' }],
  ['7.10', { reason: 'The message must be sent encrypted, which was not possible.' }],
  ['7.13', { reason: 'The account is disabled.' }],
  ['7.20', { reason: 'The message was refused: it has no valid DKIM signature.', advice: ADMINISTRATORS }],
  ['7.23', { reason: 'The message was refused: its sender failed the SPF check.' }],
  ['7.25', { reason: 'The message was refused: the sending server has no reverse name in the DNS.' }],
  ['7.26', { reason: 'The message was refused: it failed the authentication checks (SPF, DKIM).' }],
  ['7.27', { reason: 'The message was refused: the domain of the sender says that it takes no mail.' }],
  ['7.30', { reason: 'The message requires encryption all the way (REQUIRETLS), which was not possible.' }],
])

/** By subject alone (RFC 3463 §3). */
const SUBJECTS: ReadonlyMap<string, StatusWords> = new Map<string, StatusWords>([
  ['1', { reason: 'The address was refused.', advice: CHECK }],
  ['2', { reason: "The recipient's mailbox could not take the message." }],
  ['3', { reason: "The recipient's mail system could not take the message." }],
  ['4', { reason: "The recipient's mail system could not be reached." }],
  ['5', { reason: "The recipient's mail system and this one did not understand each other.", advice: ADMINISTRATORS }],
  ['6', { reason: 'The content of the message was refused.' }],
  ['7', { reason: "The message was refused by the rules of the recipient's mail system.", advice: ADMINISTRATORS }],
])

/** The words for a status (`5.1.1`), the class aside; the most general ones for what nobody knows. */
export function statusWords(status: string): StatusWords {
  const [, subject = '', detail = ''] = status.split('.', 3)
  return WORDS.get(`${subject}.${detail}`) ?? SUBJECTS.get(subject) ?? { reason: 'The mail system gave no reason that is known.' }
}
