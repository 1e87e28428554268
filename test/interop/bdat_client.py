"""Sends one message by BDAT (RFC 3030) as the JSON on standard input says, and prints every reply. No client at hand does."""
import json
import smtplib
import ssl
import sys

task = json.load(sys.stdin)
client = smtplib.SMTP('localhost', task['port'], local_hostname='client.test', timeout=30)
client.ehlo()
if 'ca' in task:
    client.starttls(context=ssl.create_default_context(cafile=task['ca']))
    client.ehlo()
assert client.has_extn('chunking') and client.has_extn('binarymime') and client.has_extn('pipelining')


def say(*words):
    """Says all of it in one write, and prints as many replies as it asks for."""
    client.sock.sendall(b''.join(words))


def hear(replies):
    for _ in range(replies):
        code, text = client.getreply()
        print(code, text.decode())


def line(text):
    return text.encode() + b'\r\n'


with open(task['file'], 'rb') as message:
    content = message.read()
envelope = [line('MAIL FROM:<sender@client.test>' + task.get('parameters', ''))]
envelope += [line(f'RCPT TO:<{to}>') for to in task['to']]
size = task['chunk']
chunks = []
for at in range(0, len(content), size):
    piece = content[at:at + size]
    last = ' LAST' if at + size >= len(content) and not task.get('emptyLast') else ''
    chunks += [line(f'BDAT {len(piece)}{last}'), piece]
if task.get('emptyLast'):
    chunks += [line('BDAT 0 LAST'), b'']
if task.get('pipelined'):
    say(*envelope, *chunks, line('QUIT'))
    hear(len(envelope) + len(chunks) // 2 + 1)
else:
    for command in envelope:
        say(command)
        hear(1)
    for at in range(0, len(chunks), 2):
        say(*chunks[at:at + 2])
        hear(1)
    say(line('QUIT'))
    hear(1)
