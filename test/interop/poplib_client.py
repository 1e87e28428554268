"""Fetches mail as the JSON on standard input says; prints what it got as JSON."""
import base64
import json
import poplib
import ssl
import sys

task = json.load(sys.stdin)
context = ssl.create_default_context(cafile=task.get('ca'))
if task['security'] == 'implicit':
    client = poplib.POP3_SSL('localhost', task['port'], context=context, timeout=30)
else:
    client = poplib.POP3('localhost', task['port'], timeout=30)
got = {'greeting': client.getwelcome().decode()}
try:
    if task['security'] == 'starttls':
        client.stls(context=context)
    got['capabilities'] = client.capa()
    if task.get('utf8'):
        client.utf8()
    client.user(task['user'])
    client.pass_(task['password'])
    got['stat'] = client.stat()
    got['list'] = [line.decode() for line in client.list()[1]]
    got['uidl'] = [line.decode() for line in client.uidl()[1]]
    count = got['stat'][0]
    messages = [b''.join(line + b'\r\n' for line in client.retr(number)[1]) for number in range(1, count + 1)]
    got['messages'] = [base64.b64encode(message).decode() for message in messages]
    got['tops'] = [[line.decode('latin-1') for line in client.top(number, 1)[1]] for number in range(1, count + 1)]
    for number in task.get('delete', []):
        client.dele(number)
    if task.get('leave') == 'rudely':
        client.close()
    else:
        got['bye'] = client.quit().decode()
except poplib.error_proto as error:
    got['error'] = str(error)
print(json.dumps(got))
