"""The Python library's side of the comparison in `.ci/webhooks`. Usage: sign COUNT | verify; messages are lines of JSON."""

import base64
import json
import random
import sys
from datetime import datetime, timezone

from standardwebhooks import Webhook


def sign(count):
    dice = random.Random(2)
    now = datetime.now(tz=timezone.utc)
    seconds = int(now.timestamp())
    for number in range(count):
        secret = "whsec_" + base64.b64encode(dice.randbytes(dice.randint(24, 64))).decode()
        text = "".join(dice.choice(['a', '7', ' ', '"', '\\', '\n', 'é', '北', '🚚', '\x7f']) for _ in range(dice.randrange(60)))
        body = json.dumps({"text": text, "number": dice.randrange(1 << 50)}, ensure_ascii=dice.random() < 0.5)
        identity = f"msg_{number}_{dice.randrange(1 << 60):x}"
        message = {
            "secret": secret,
            "id": identity,
            "timestamp": str(seconds),
            "signature": Webhook(secret).sign(msg_id=identity, timestamp=now, data=body),
            "body": body,
            "expect": True,
        }
        if number % 10 == 9:
            change(message, number // 10 % 5)
        print(json.dumps(message))


def change(message, kind):
    message["expect"] = False
    if kind == 0:
        message["body"] += " "
    elif kind == 1:
        message["id"] += "0"
    elif kind == 2:
        message["timestamp"] = str(int(message["timestamp"]) - 1)
    elif kind == 3:
        message["secret"] = "whsec_" + base64.b64encode(bytes([7] * 24)).decode()
    else:
        message["signature"] = "v1," + base64.b64encode(bytes([7] * 32)).decode()


def believes(message):
    headers = {f"webhook-{name}": message[name] for name in ("id", "timestamp", "signature")}
    try:
        Webhook(message["secret"]).verify(message["body"], headers)
        return True
    except Exception:
        return False


def verify():
    counts = {True: 0, False: 0}
    wrong = 0
    for line in sys.stdin:
        message = json.loads(line)
        believed = believes(message)
        counts[believed] += 1
        wrong += believed != message["expect"]
    print(f"python: {counts[True]} believed, {counts[False]} refused, {wrong} wrongly", file=sys.stderr)
    sys.exit(1 if wrong or not counts[True] else 0)


if sys.argv[1] == "sign":
    sign(int(sys.argv[2]))
else:
    verify()
