"""A registry behind a gate that can fall at any request, as when the registry, its host or the network dies there."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_METHODS: Final = (b"GET ", b"HEAD", b"PUT ", b"POST", b"PATC", b"DELE")
_SIZE: Final = 65536
_RESET: Final = struct.pack("ii", 1, 0)  # close without goodbye


class Gate:
    """Passes connections on to a registry, until it falls.

    Attributes:
        address: host and port, to use in place of the registry's.
        requests: how many have come since it was opened.
    """

    def __init__(self, registry: str) -> None:
        host, _, port = registry.partition(":")
        self._registry = (host, int(port))
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        self.requests = 0
        self._falls_at = 0
        self._fallen = False
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def open(self, *, falls_at: int = 0) -> None:
        """Let requests pass; from request number `falls_at` on, every connection is cut (0: never)."""
        with self._lock:
            self.requests, self._falls_at, self._fallen = 0, falls_at, False

    @property
    def has_fallen(self) -> bool:
        """Whether it has cut connections since it was opened."""
        return self._fallen

    def close(self) -> None:
        """For good."""
        self._server.close()
        self._cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._fallen:
                _reset(client)
                return
            server = socket.create_connection(self._registry)
            self._open |= {client, server}
            back = threading.Thread(target=self._pass, args=(server, client), daemon=True)
            back.start()
            self._pass(client, server, counts=True)
            back.join()
            client.close()
            server.close()

    def _pass(self, source: socket.socket, target: socket.socket, *, counts: bool = False) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_SIZE):
                if counts and data.startswith(_METHODS):
                    with self._lock:
                        self.requests += 1
                        self._fallen = self._fallen or self.requests == self._falls_at
                    if self._fallen:
                        self._cut()
                        return
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def _cut(self) -> None:
        for each in list(self._open):
            _reset(each)
        self._open.clear()


def _reset(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        each.shutdown(socket.SHUT_RDWR)
    each.close()


@contextlib.contextmanager
def gate(registry: str) -> Iterator[Gate]:
    """A gate before a registry, open."""
    made = Gate(registry)
    try:
        yield made
    finally:
        made.close()
