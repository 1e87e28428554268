"""Works with a mailbox as the JSON on standard input says; prints what it found as JSON."""
import imaplib
import json
import ssl
import sys

task = json.load(sys.stdin)
context = ssl.create_default_context(cafile=task['ca'])
if task['security'] == 'implicit':
    client = imaplib.IMAP4_SSL('localhost', task['port'], ssl_context=context)
else:
    client = imaplib.IMAP4('localhost', task['port'])
if task['security'] == 'starttls':
    client.starttls(context)


def ok(answer):
    kind, data = answer
    assert kind == 'OK', answer
    return data


if task['mechanism'] == 'LOGIN':
    ok(client.login(task['user'], task['password']))
elif task['mechanism'] == 'CRAM-MD5':
    ok(client.login_cram_md5(task['user'], task['password']))
else:
    words = '\0' + task['user'] + '\0' + task['password']
    ok(client.authenticate('PLAIN', lambda _: words.encode()))

found = {}
ok(client.create('Sub/Box'))
ok(client.subscribe('Sub/Box'))
found['listed'] = sorted(line.decode() for line in ok(client.list('""', 'Sub*')))
found['subscribed'] = sorted(line.decode() for line in ok(client.lsub('""', 'Sub*')))
for text, flags in task['mail']:
    ok(client.append('Sub/Box', flags, imaplib.Time2Internaldate(1700000000), text.encode()))
found['exists'] = int(ok(client.select('Sub/Box'))[0])
found['status'] = ok(client.status('Sub/Box', '(MESSAGES UNSEEN)'))[0].decode()
found['bodies'] = [part[1].decode() for part in ok(client.fetch('1:*', '(BODY.PEEK[])')) if isinstance(part, tuple)]
flags = [flag.decode() for flag in imaplib.ParseFlags(ok(client.fetch('1', '(FLAGS)'))[0])]
found['flags'] = sorted(flag for flag in flags if flag != r'\Recent')
found['date'] = imaplib.Internaldate2tuple(ok(client.fetch('1', '(INTERNALDATE)'))[0]) is not None
found['search'] = ok(client.search(None, 'SUBJECT', '"two"'))[0].decode()
client.literal = 'Grüße'.encode()
found['charset'] = ok(client.search('UTF-8', 'BODY'))[0].decode()
found['sorted'] = ok(client.sort('REVERSE SUBJECT', 'UTF-8', 'ALL'))[0].decode()
found['thread'] = ok(client.thread('REFERENCES', 'UTF-8', 'ALL'))[0].decode()
ok(client.store('2', '+FLAGS.SILENT', r'(\Flagged)'))
ok(client.copy('1:2', 'Archive'))
ok(client.uid('MOVE', '3', 'Trash'))
ok(client.store('1', '+FLAGS', r'(\Deleted)'))
found['expunged'] = [number.decode() for number in ok(client.expunge())]
ok(client.getquotaroot('INBOX'))
ok(client.rename('Sub/Box', 'Sub/Renamed'))
ok(client.unselect())
ok(client.enable('UTF8=ACCEPT'))
ok(client.create('"Übersicht"'))
client.logout()
json.dump(found, sys.stdout)
