/** A small message with CRLF. */
export function letter(subject: string, text = `This is ${subject}.`): string {
  return [
    'From: Alice Liddell <alice@example.test>', 'To: bob@example.test', `Subject: ${subject}`,
    `Message-ID: <${subject.replaceAll(' ', '.')}@example.test>`, 'Date: Fri, 20 Nov 2026 09:30:00 +0100', 'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit', '', text, '',
  ].join('\r\n')
}

/** A message of two parts, whose second is a file in base64. */
export function letterWithFile(subject: string): string {
  return [
    'From: "Liddell, Alice" <alice@example.test>', 'To: bob@example.test', `Subject: ${subject}`,
    `Message-ID: <${subject}@example.test>`, 'Date: Fri, 20 Nov 2026 09:30:00 +0100', 'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary="b1"', '', 'preamble', '--b1', 'Content-Type: text/plain; charset=us-ascii', '',
    'Down the rabbit hole.', '--b1', 'Content-Type: application/octet-stream; name="cake.bin"',
    'Content-Disposition: attachment; filename="cake.bin"', 'Content-Transfer-Encoding: base64', '', 'RWF0IG1lLg==', '--b1--', '',
  ].join('\r\n')
}
