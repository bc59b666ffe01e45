"""Watches an upgrade with the `websockets` library until it is completed, and prints each message as it came.

usage: watch_websockets.py <url> <channel> <cuts>

After every 100 events the connection is lost without a closing handshake, so many times; whenever it is lost, the
program comes back with the cursor of the last event that it has. A token is in the variable TOKEN, and TOKEN_BY says
how it goes: `header` or `message`.
"""

import asyncio
import json
import os
import sys
from urllib.parse import urlencode

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

EVENTS_BEFORE_CUT = 100
TOKEN = os.environ.get("TOKEN")
TOKEN_BY = os.environ.get("TOKEN_BY")


def address(url, channel, cursor):
    return url if cursor is None else f"{url}/?{urlencode({'channel': channel, 'after': cursor})}"


async def watch(url, channel, cuts):
    cursor = None
    headers = {"Authorization": f"Bearer {TOKEN}"} if TOKEN_BY == "header" else {}
    while True:
        try:
            async with connect(address(url, channel, cursor), additional_headers=headers, proxy=None) as socket:
                events = 0
                async for text in socket:
                    print(text, flush=True)
                    message = json.loads(text)
                    if message["type"] == "welcome" and TOKEN_BY == "message":
                        await socket.send(json.dumps({"type": "authenticate", "token": TOKEN, "requestId": "a1"}))
                    if "seq" not in message:
                        continue
                    cursor = message["cursor"]
                    events += 1
                    if message["type"] == "upgrade.completed":
                        return
                    if cuts > 0 and events == EVENTS_BEFORE_CUT:
                        cuts -= 1
                        socket.transport.abort()
        except (ConnectionClosed, OSError):
            await asyncio.sleep(0.05)


asyncio.run(watch(sys.argv[1], sys.argv[2], int(sys.argv[3])))
