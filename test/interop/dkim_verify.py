"""Verifies the signatures of messages that the JSON on standard input holds; prints a list of verdicts for each."""
import base64
import json
import sys

import dkim

task = json.load(sys.stdin)
keys = {name: record.encode() for name, record in task['keys'].items()}


def find(name, timeout=5):
    return keys.get(name.decode().rstrip('.') if isinstance(name, bytes) else name.rstrip('.'))


def verdict(octets, at):
    try:
        return dkim.DKIM(octets).verify(idx=at, dnsfunc=find)
    except dkim.ValidationError:
        return False


def verdicts(octets):
    message = dkim.DKIM(octets)
    count = sum(1 for name, _ in message.headers if name.lower() == b'dkim-signature')
    return [verdict(octets, at) for at in range(count)]


print(json.dumps([verdicts(base64.b64decode(octets)) for octets in task['messages']]))
