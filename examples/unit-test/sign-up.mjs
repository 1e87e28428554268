// The application under test: it sends a mail to whoever signs up. Its transport is any of nodemailer's.
import { randomInt } from 'node:crypto'

export class SignUp {
  #transport
  #codes = new Map()

  constructor(transport) {
    this.#transport = transport
  }

  async begin(address) {
    const code = String(randomInt(100_000, 1_000_000))
    this.#codes.set(address, code)
    await this.#transport.sendMail({
      from: 'Shop <hello@shop.example>',
      to: address,
      subject: 'Please confirm your address',
      text: `Your code is ${code}.\n\nOr follow https://shop.example/confirm?code=${code}`,
    })
  }

  confirm(address, code) {
    return this.#codes.get(address) === code
  }
}
