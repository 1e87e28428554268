/** What servers write, in lower case. */

/** Says that mail was not delivered. */
export const failures: readonly string[] = [
  'undeliver', 'not be delivered', "couldn't be delivered", "wasn't delivered", 'was not delivered', 'unable to deliver',
  'could not deliver', "couldn't deliver", 'cannot be delivered', "can't be delivered", 'delivery failed',
  'delivery has failed', 'delivery failure', 'failed permanently', 'failure notice', 'returned mail',
  'returning message to sender', 'returned to sender', "wasn't able to deliver", 'permanent fatal errors', 'did not reach',
  'delivery to the following', 'address not found', 'address(es) failed', 'message blocked', 'message not delivered',
  'permanent error', 'caused the following errors', 'cannot be reached', 'non-delivery', 'nondeliverable', 'delivery error',
  'mail delivery problem', 'delivery status notification (failure)',
]

/** Says that it has not been delivered yet. */
export const delays: readonly string[] = [
  'warning message only', 'this is a warning only', 'not yet been delivered', 'attempts will continue', 'has been delayed',
  'only a delay', 'will be retried', 'delivery status notification (delay)', 'delivery incomplete', 'still being retried',
  'warning: could not send message', 'delivery is delayed', 'delivery delayed', 'transient non-fatal errors',
]

/** Comes before the address that it is about. */
export const introductions: readonly string[] = [
  "wasn't delivered to", 'was not delivered to', "couldn't be delivered to", 'could not be delivered to',
  'cannot be delivered to', 'your message to', 'delivering your message to', 'deliver your message to', 'deliver mail to',
  'deliver to', 'recipient address:', 'failed address:', 'recipient:', 'recipients:', 'following recipient:', 'mailbox:',
]

/** Begins the message that came back, or its header; not what is said of it at the top. */
export const endings: readonly string[] = [
  'below this line is a copy', 'below the next line is a copy', 'this is a copy of', 'copy of the message, including',
  'copy of your message follows', '--- original message', 'original message headers', 'original message header:',
  'original message follows', 'unsent message follows', 'unsent message below', 'undelivered message follows',
  'message header follows', 'message headers follow', 'message body follows', '--- returned message', 'begin message',
  'message text follows', 'copy of the original message below', 'headers of the message follow',
]
