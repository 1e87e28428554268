import { createTransport } from 'nodemailer'
import { describe, vi } from 'vitest'
import { expect, test } from '../../src/testing/vitest.ts'

test('a first test takes six lines', async ({ mailbox }) => {
  await mailbox.transport.sendMail({
    from: 'shop@example.com',
    to: mailbox.address,
    subject: 'Please confirm',
    text: 'Your code: 123456',
  })
  await expect(mailbox).toReceive({ subject: /confirm/ })
  expect((await mailbox.next()).codes).toEqual(['123456'])
})

const seen: string[] = []

describe('the fixture', () => {
  test('gives a mailbox', async ({ mailbox }) => {
    seen.push(mailbox.address)
    await mailbox.client().send({ to: mailbox.address })
  })

  test('of its own to each test', async ({ mailbox }) => {
    seen.push(mailbox.address)
    expect(new Set(seen).size).toBe(2)
    await expect(mailbox).toReceiveNothing({ within: 5 })
  })

  const claiming = test.extend({ mailboxOptions: { accepts: ({ domain }: { domain: string }) => domain === 'example.org' } })
  claiming('made as it is told', async ({ mailbox }) => {
    await createTransport(mailbox.transport).sendMail({ from: 'shop@example.com', to: 'a@example.org', text: 'x' })
    await expect(mailbox).toReceive({ to: 'a@example.org', within: 100 })
  })
})

describe('matchers', () => {
  test('wait for what comes later', async ({ mailbox }) => {
    const waiting = expect(mailbox).toReceive({ subject: 'later' })
    void mailbox.client().send({ to: mailbox.address, subject: 'later' })
    await waiting
    expect((await expect(mailbox).toReceive({ subject: 'later' })).subject).toBe('later')
    expect(await expect(mailbox).not.toReceive({ subject: 'never', within: 5 })).toBeUndefined()
    await expect(mailbox).not.toReceiveNothing({ within: 5 })
  })

  test('say what is wrong', async ({ mailbox }) => {
    await mailbox.client().send({ to: mailbox.address, subject: 'one' })
    await expect(expect(mailbox).toReceive({ subject: 'two', within: 5 })).rejects.toThrow(
      /Expected a mail with \{ subject: "two" \} within 5 ms\. There came:/,
    )
    await expect(expect(mailbox).not.toReceive({ subject: 'one' })).rejects.toThrow(/was to receive nothing like/)
    await expect(expect(mailbox).toReceiveNothing()).rejects.toThrow(/was to receive nothing, but there came\n {2}- "one"/)
    mailbox.clear()
    await expect(expect(mailbox).not.toReceiveNothing({ within: 5 })).rejects.toThrow(/None came/)
  })

  test('work while the clock of the platform is a fake one', async ({ mailbox }) => {
    vi.useFakeTimers()
    try {
      await mailbox.client().send({ to: mailbox.address, subject: 'one' })
      await expect(mailbox).toReceive({ subject: 'one' })
      await expect(expect(mailbox).toReceive({ subject: 'two', within: 5 })).rejects.toThrow(/within 5 ms/)
    } finally {
      vi.useRealTimers()
    }
  })
})
