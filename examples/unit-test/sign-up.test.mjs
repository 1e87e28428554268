import { expect, test } from 'posthorn/vitest'
import { SignUp } from './sign-up.mjs'

test('asks whoever signs up to confirm', async ({ mailbox }) => {
  await new SignUp(mailbox.transport).begin(mailbox.address)
  await expect(mailbox).toReceive({ subject: /confirm/ })
})

test('takes the code out of the mail, and no other', async ({ mailbox }) => {
  const signUp = new SignUp(mailbox.transport)
  await signUp.begin(mailbox.address)
  const { codes, links } = await mailbox.next({ from: 'hello@shop.example' })
  expect(signUp.confirm(mailbox.address, codes[0])).toBe(true)
  expect(signUp.confirm(mailbox.address, '000000')).toBe(false)
  expect(links).toEqual([`https://shop.example/confirm?code=${codes[0]}`])
})

test('writes to nobody else', async ({ mailbox }) => {
  await new SignUp(mailbox.transport).begin(mailbox.alias('somebody'))
  await expect(mailbox).toReceive({ to: mailbox.alias('somebody') })
  await expect(mailbox).not.toReceive({ to: mailbox.address })
})
