/** What servers write when they give mail back, in their own words: each with what is to be found in it. */
export interface BounceSample {
  readonly name: string
  readonly mail: string
  readonly found: {
    readonly recipients: readonly (readonly [recipient: string, action: string, status: string | undefined, lasting: string])[]
    readonly messageId?: string
  }
}

const from = (who: string, subject: string): string =>
  `Return-Path: <>\nFrom: ${who}\nTo: anna@ours.example\nSubject: ${subject}\nMessage-ID: <bounce@theirs.example>\n`

/** The message that came back. */
const returned = 'From: anna@ours.example\nTo: bob@theirs.example\nSubject: Lunch\nMessage-ID: <lunch@ours.example>\n\nAt noon?\n'

export const bounceSamples: readonly BounceSample[] = [
  {
    name: 'qmail',
    mail: `${from('MAILER-DAEMON@theirs.example', 'failure notice')}
Hi. This is the qmail-send program at theirs.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<bob@theirs.example>:
Sorry, no mailbox here by that name. (#5.1.1)

<carol@far.example>:
192.0.2.7 does not like recipient.
Remote host said: 552 5.2.2 Over quota
Giving up on 192.0.2.7.

--- Below this line is a copy of the message.

Return-Path: <anna@ours.example>
${returned}`,
    found: {
      recipients: [
        ['bob@theirs.example', 'failed', '5.1.1', 'hard'],
        ['carol@far.example', 'failed', '5.2.2', 'soft'],
      ],
      messageId: '<lunch@ours.example>',
    },
  },
  {
    name: 'Yahoo',
    mail: `${from('MAILER-DAEMON@yahoo.com', 'Failure Notice')}
Sorry, we were unable to deliver your message to the following address.

<bob@theirs.example>:
Remote host said: 550 Invalid recipient bob@theirs.example [RCPT_TO]

--- Below this line is a copy of the message.

${returned}`,
    found: { recipients: [['bob@theirs.example', 'failed', undefined, 'hard']], messageId: '<lunch@ours.example>' },
  },
  {
    name: 'Exim',
    mail: `${from('Mail Delivery System <Mailer-Daemon@theirs.example>', 'Mail delivery failed: returning message to sender')
    }X-Failed-Recipients: bob@theirs.example,
 carol@theirs.example

This message was created automatically by mail delivery software (Exim 4.94.2).

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  bob@theirs.example
    SMTP error from remote mail server after RCPT TO:<bob@theirs.example>:
    host mx.theirs.example [192.5.1.1]: 550 5.1.1 <bob@theirs.example>:
    Recipient address rejected: User unknown
  carol@theirs.example
    (ultimately generated from sales@theirs.example)
    mailbox is full: retry timeout exceeded

------ This is a copy of the message, including all the headers. ------

Return-path: <anna@ours.example>
${returned}`,
    found: {
      recipients: [
        ['bob@theirs.example', 'failed', '5.1.1', 'hard'],
        ['carol@theirs.example', 'failed', undefined, 'soft'],
      ],
      messageId: '<lunch@ours.example>',
    },
  },
  {
    name: 'Exim, delayed',
    mail: `${from('Mail Delivery System <Mailer-Daemon@theirs.example>', 'Warning: message 1abc-0002 delayed 24 hours')}
This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on theirs.example.

The message identifier is:     1abc-0002
The subject of the message is: Lunch

The address to which the message has not yet been delivered is:

  bob@far.example

No action is required on your part. Delivery attempts will continue for
some time, and this warning may be repeated at intervals if the message
remains undelivered. Eventually the mail delivery software will give up.
`,
    found: { recipients: [['bob@far.example', 'delayed', undefined, 'soft']] },
  },
  {
    name: 'Postfix, its text alone',
    mail: `${from('MAILER-DAEMON@theirs.example (Mail Delivery System)', 'Undelivered Mail Returned to Sender')}
This is the mail system at host mail.theirs.example.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

For further assistance, please send mail to postmaster.

If you do so, please include this problem report. You can
delete your own text from the attached returned message.

                   The mail system

<bob@far.example>: host mx.far.example[192.0.2.9] said: 550 5.1.1
    <bob@far.example>: Recipient address rejected: User unknown in virtual
    mailbox table (in reply to RCPT TO command)

<carol@gone.example> (expanded from <list@theirs.example>): Host or domain name
    not found. Name service error for name=gone.example type=AAAA: Host not found
`,
    found: {
      recipients: [
        ['bob@far.example', 'failed', '5.1.1', 'hard'],
        ['carol@gone.example', 'failed', undefined, 'hard'],
      ],
    },
  },
  {
    name: 'Sendmail (and AOL)',
    mail: `${from('Mail Delivery Subsystem <MAILER-DAEMON@aol.com>', 'Returned mail: see transcript for details')}
The original message was received at Tue, 3 Nov 2026 10:00:00 -0500 (EST)
from ours.example [192.0.2.1]

   ----- The following addresses had permanent fatal errors -----
<bob@aol.com>
    (reason: 550 5.1.1 <bob@aol.com>: Recipient address rejected: aol.com)

   ----- Transcript of session follows -----
... while talking to mx.aol.com.:
>>> RCPT To:<bob@aol.com>
<<< 550 5.1.1 <bob@aol.com>: Recipient address rejected: aol.com
550 5.1.1 <bob@aol.com>... User unknown

   ----- Message header follows -----
${returned}`,
    found: { recipients: [['bob@aol.com', 'failed', '5.1.1', 'hard']], messageId: '<lunch@ours.example>' },
  },
  {
    name: 'Gmail as it was',
    mail: `${from('Mail Delivery Subsystem <mailer-daemon@googlemail.com>', 'Delivery Status Notification (Failure)')}
Delivery to the following recipient failed permanently:

     bob@theirs.example

Technical details of permanent failure:
Google tried to deliver your message, but it was rejected by the server for
the recipient domain theirs.example by mx.theirs.example. [192.0.2.9].

The error that the other server returned was:
550 5.1.1 <bob@theirs.example>: Recipient address rejected

----- Original message -----

${returned}`,
    found: { recipients: [['bob@theirs.example', 'failed', '5.1.1', 'hard']], messageId: '<lunch@ours.example>' },
  },
  {
    name: 'Gmail as it is',
    mail: `${from('Mail Delivery Subsystem <mailer-daemon@googlemail.com>', 'Delivery Status Notification (Failure)')
    }In-Reply-To: <lunch@ours.example>

** Address not found **

Your message wasn't delivered to bob@theirs.example because the address couldn't be found, or is unable to receive mail.

Learn more here: https://support.example/mail/?p=NoSuchUser

The response was:

550 5.1.1 The email account that you tried to reach does not exist.
`,
    found: { recipients: [['bob@theirs.example', 'failed', '5.1.1', 'hard']], messageId: '<lunch@ours.example>' },
  },
  {
    name: 'Gmail, delayed',
    mail: `${from('Mail Delivery Subsystem <mailer-daemon@googlemail.com>', 'Delivery Status Notification (Delay)')}
** Delivery incomplete **

There was a temporary problem delivering your message to bob@theirs.example. Gmail will retry for 46 more hours.

The response was:

The recipient server did not accept our requests to connect. [mx.theirs.example 192.0.2.9: timed out]
`,
    found: { recipients: [['bob@theirs.example', 'delayed', undefined, 'soft']] },
  },
  {
    name: 'Exchange, old',
    mail: `${from('System Administrator <postmaster@theirs.example>', 'Undeliverable: Lunch')}
Your message did not reach some or all of the intended recipients.

      Subject:\tLunch
      Sent:\t11/3/2026 10:00 AM

The following recipient(s) cannot be reached:

      'bob@theirs.example' on 11/3/2026 10:01 AM
            The e-mail account does not exist at the organization this message was sent to.
            <mail.theirs.example #5.1.1>
`,
    found: { recipients: [['bob@theirs.example', 'failed', '5.1.1', 'hard']] },
  },
  {
    name: 'Outlook and Microsoft 365',
    mail: `${from('Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc@theirs.example>', 'Undeliverable: Lunch')}
Delivery has failed to these recipients or groups:

bob@theirs.example<mailto:bob@theirs.example>
The email address you entered couldn't be found. Please check the recipient's email address and try to resend the message.

Diagnostic information for administrators:

Generating server: AM0PR01.prod.theirs.example

bob@theirs.example
Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient bob@theirs.example not found by SMTP address lookup'

Original message headers:

Received: from ours.example
Message-ID: <lunch@ours.example>
`,
    found: { recipients: [['bob@theirs.example', 'failed', '5.1.10', 'hard']], messageId: '<lunch@ours.example>' },
  },
  {
    name: 'Microsoft 365 in HTML alone',
    mail: `${from('postmaster@theirs.example', 'Undeliverable: Lunch')}Content-Type: text/html; charset=utf-8

<html><head><style>p { color: red }</style></head><body>
<p>Your message to <a href="mailto:bob@theirs.example">bob@theirs.example</a>
couldn't be delivered.</p><div>bob wasn&#39;t found at theirs.example.</div>
<p>550&nbsp;5.1.10 RESOLVER.ADR.RecipientNotFound</p></body></html>
`,
    found: { recipients: [['bob@theirs.example', 'failed', '5.1.10', 'hard']] },
  },
]
