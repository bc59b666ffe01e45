"""The same as watch_websockets.py, with Autobahn on asyncio.

usage: watch_autobahn.py <url> <channel> <cuts>
"""

import asyncio
import json
import os
import sys
from urllib.parse import urlencode, urlsplit

from autobahn.asyncio.websocket import WebSocketClientFactory, WebSocketClientProtocol

EVENTS_BEFORE_CUT = 100
TOKEN = os.environ.get("TOKEN")
TOKEN_BY = os.environ.get("TOKEN_BY")


class Watch:
    def __init__(self, cuts):
        self.cuts = cuts
        self.cursor = None
        self.is_completed = False


class Client(WebSocketClientProtocol):
    def onOpen(self):
        self.events = 0
        self.is_over = False

    def onMessage(self, payload, isBinary):
        if self.is_over:
            return
        print(payload.decode("utf8"), flush=True)
        message = json.loads(payload)
        if message["type"] == "welcome" and TOKEN_BY == "message":
            self.sendMessage(json.dumps({"type": "authenticate", "token": TOKEN, "requestId": "a1"}).encode())
        if "seq" in message:
            self.count(message)

    def count(self, message):
        watch = self.factory.watch
        watch.cursor = message["cursor"]
        self.events += 1
        if message["type"] == "upgrade.completed":
            self.is_over = watch.is_completed = True
            self.sendClose(1000)
        elif watch.cuts > 0 and self.events == EVENTS_BEFORE_CUT:
            self.is_over = True
            watch.cuts -= 1
            self.transport.abort()

    def onClose(self, wasClean, code, reason):
        self.factory.closed.set_result(None)


async def watch(url, channel, cuts):
    state = Watch(cuts)
    place = urlsplit(url)
    headers = {"Authorization": f"Bearer {TOKEN}"} if TOKEN_BY == "header" else {}
    while not state.is_completed:
        query = "" if state.cursor is None else f"/?{urlencode({'channel': channel, 'after': state.cursor})}"
        factory = WebSocketClientFactory(url + query, headers=headers)
        factory.protocol = Client
        factory.watch = state
        factory.closed = asyncio.get_running_loop().create_future()
        try:
            await asyncio.get_running_loop().create_connection(factory, place.hostname, place.port)
            await factory.closed
        except OSError:
            await asyncio.sleep(0.05)


asyncio.run(watch(sys.argv[1], sys.argv[2], int(sys.argv[3])))
