import { chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { Child, run } from './children.ts'
import { freePort, type Held } from './held.ts'

/** What everybody's password is. */
const PASSWORD = 'wonderland'

/** A Dovecot of its own, whose users are whoever logs in, each with a Maildir. */
export class Dovecot {
  readonly port: number
  readonly password = PASSWORD
  readonly #child: Child

  private constructor(port: number, child: Child) {
    this.port = port
    this.#child = child
  }

  static async start(held: Held): Promise<Dovecot> {
    const folder = held.folder('dovecot')
    const port = await freePort()
    const mail = join(folder, 'mail')
    mkdirSync(mail)
    const { uid, gid } = owner()
    chownSync(mail, uid, gid)
    const config = join(folder, 'dovecot.conf')
    const group = (await run('id', ['-gn'])).out.trim()
    writeFileSync(config, settings(folder, mail, port, group))
    const child = new Child('dovecot', ['-F', '-c', config])
    held.later(() => child.stop())
    await child.said(/starting up/)
    return new Dovecot(port, child)
  }

  /** What it logged. */
  get log(): string {
    return this.#child.text
  }
}

const isRoot = (): boolean => userInfo().uid === 0

/** Whose files the mail is: Dovecot hands out none as root. */
function owner(): { uid: number; gid: number } {
  const { uid, gid } = userInfo()
  return isRoot() ? { uid: 65_534, gid: 65_534 } : { uid, gid }
}

function settings(folder: string, mail: string, port: number, group: string): string {
  const { uid, gid } = owner()
  const { username } = userInfo()
  // Without the superuser's rights everything is its own.
  const own = [`default_internal_user = ${username}`, `default_login_user = ${username}`, `default_internal_group = ${group}`]
  return `base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
ssl = no
${isRoot() ? '' : own.join('\n')}
disable_plaintext_auth = no
auth_mechanisms = plain login
first_valid_uid = 1
mail_location = maildir:${mail}/%u
mail_max_userip_connections = 100
service imap-login {
  chroot =
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
passdb {
  driver = static
  args = password=${PASSWORD}
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${mail}/%u
}
namespace inbox {
  inbox = yes
  separator = /
}
`
}
