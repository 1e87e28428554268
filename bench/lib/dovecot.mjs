// Debian's Dovecot (dovecot-imapd) with any user, password `password`, its mail in one of its formats under `work`.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

/** Writes its configuration. `kept`: log-in processes serve more than one connection. Gives the path. */
export function dovecotConf(work, port, format, kept = false) {
  if (!fs.existsSync('/usr/lib/dovecot/imap')) throw new Error('not installed (Debian: apt-get install dovecot-imapd)')
  const home = path.join(work, `dovecot-${format}`)
  const run = path.join(home, `run-${port}`)
  for (const folder of [run, path.join(home, 'mail')]) fs.mkdirSync(folder, { recursive: true })
  spawnSync('chown', ['-R', 'mail:mail', path.join(home, 'mail')])
  const conf = path.join(home, `dovecot-${port}.conf`)
  fs.writeFileSync(conf, `base_dir = ${run}
log_path = ${home}/log-${port}
protocols = imap
ssl = no
disable_plaintext_auth = no
mail_location = ${format}:${home}/mail/%u${format === 'maildir' ? '/Maildir' : ''}
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
first_valid_gid = 1
auth_mechanisms = plain
mail_max_userip_connections = 100000
default_vsz_limit = 2 G
passdb {
  driver = static
  args = password=password
}
userdb {
  driver = static
  args = uid=mail gid=mail home=${home}/mail/%u
}
namespace inbox {
  inbox = yes
}
service imap-login {
  inet_listener imap {
    address = 127.0.0.1
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
  process_limit = 20000
  client_limit = 20000
  ${kept ? 'service_count = 0\n  process_min_avail = 1' : 'service_count = 1'}
}
service imap {
  process_limit = 20000
}
service anvil {
  client_limit = 60000
}
service auth {
  client_limit = 60000
}
service stats {
  client_limit = 60000
}
`)
  return conf
}

/** Removes what it has noted of messages to answer from. Which messages there are is left: of mdbox nobody else knows it. */
export function forgetCache(work, format) {
  const mail = path.join(work, `dovecot-${format}`, 'mail')
  for (const name of fs.readdirSync(mail, { recursive: true })) {
    if (path.basename(name) === 'dovecot.index.cache') fs.rmSync(path.join(mail, name))
  }
}
