"""Sends one message as the JSON on standard input says; ends with 1 where no recipient got it."""
import json
import smtplib
import ssl
import sys


def tell(refused):
    for recipient, (code, text) in refused.items():
        print(recipient, code, text.decode())


task = json.load(sys.stdin)
options = {'local_hostname': task['hello'], 'timeout': 30}
if 'source' in task:
    options['source_address'] = (task['source'], 0)
context = ssl.create_default_context(cafile=task.get('ca'))
if 'ca' not in task:
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
try:
    if task['security'] == 'implicit':
        client = smtplib.SMTP_SSL('localhost', task['port'], context=context, **options)
    else:
        client = smtplib.SMTP('localhost', task['port'], **options)
    client.ehlo()
    if task['security'] == 'starttls':
        client.starttls(context=context)
        client.ehlo()
    if 'auth' in task:
        client.user, client.password = task['auth']['user'], task['auth']['password']
        mechanism = task['auth']['mechanism']
        client.auth(mechanism, getattr(client, 'auth_' + mechanism.lower().replace('-', '_')))
    parameters = ['BODY=8BITMIME'] if task.get('eightBit') else []
    if task.get('utf8'):
        parameters.append('SMTPUTF8')
    with open(task['file'], 'rb') as message:
        tell(client.sendmail(task['from'], task['to'], message.read(), parameters))
    # A server that is being stopped says 421 here, and smtplib would not tell it from a failure to send.
    client.docmd('QUIT')
except smtplib.SMTPRecipientsRefused as error:
    tell(error.recipients)
    sys.exit(1)
except smtplib.SMTPResponseException as error:
    print(error.smtp_code, error.smtp_error.decode())
    sys.exit(1)
