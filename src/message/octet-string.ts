/**
 * A string whose code units are octets (0–255): what stood in the message, not decoded. A charset or an encoded word in it
 * is for the one who shows it to people; what IMAP sends are these octets.
 */
export type OctetString = string
