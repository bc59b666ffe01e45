"""An AWS of ministack's on a free port; prints the port once it answers, and ends with its standard input."""

import os
import socket
import sys
import threading
import time
import urllib.request

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
os.environ.update(
    BIND_HOST="127.0.0.1",
    GATEWAY_PORT=str(port),
    EDGE_PORT=str(port),
    MINISTACK_ACCOUNT_ID="123456789012",
    LOG_LEVEL="ERROR",
    # It would look for containers of its own otherwise.
    DOCKER_HOST="tcp://127.0.0.1:1",
)
# What it says is nothing that a test reads.
said = os.dup(1)
os.dup2(2, 1)


def tell() -> None:
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=1).read()
            break
        except OSError:
            time.sleep(0.05)
    os.write(said, f"{port}\n".encode())
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=tell, daemon=True).start()
sys.argv = ["ministack"]

from ministack.app import main  # noqa: E402  (reads the environment when it is imported)

main()
