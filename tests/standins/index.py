"""A package index on disk, and a server for it: PEP 503 pages with hashes, PEP 658 metadata beside the wheels."""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import html
import http
import http.server
import shutil
import threading
import zipfile
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

from packaging.utils import canonicalize_name

from . import distributions

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


class Index:
    """Several named package indexes in one folder: `<root>/<name>/simple/<project>/`.

    Args:
        root: the folder, made if missing. A server of this folder gives the index `cu124` the address
            `<base>/cu124/simple`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def folder(self, index: str, name: str) -> Path:
        """Where the files of one project lie."""
        return self.root / index / "simple" / canonicalize_name(name)

    def wheel(
        self,
        index: str,
        name: str,
        version: str,
        *,
        requires: Sequence[str] = (),
        extras: Mapping[str, Sequence[str]] | None = None,
        tag: str = "py3-none-any",
        files: distributions.Files | None = None,
        requires_python: str | None = None,
    ) -> Path:
        """Write a stand-in wheel into an index; see `distributions.wheel` for the arguments."""
        path = distributions.wheel(
            self.folder(index, name),
            name,
            version,
            requires=requires,
            extras=extras,
            tag=tag,
            files=files,
            requires_python=requires_python,
        )
        self._list(index, name)
        return path

    def sdist(
        self,
        index: str,
        name: str,
        version: str,
        *,
        requires: Sequence[str] = (),
        extras: Mapping[str, Sequence[str]] | None = None,
        files: distributions.Files | None = None,
        requires_python: str | None = None,
        metadata_version: str = "2.2",
    ) -> Path:
        """Write a stand-in source distribution into an index; see `distributions.sdist` for the arguments."""
        path = distributions.sdist(
            self.folder(index, name),
            name,
            version,
            requires=requires,
            extras=extras,
            files=files,
            requires_python=requires_python,
            metadata_version=metadata_version,
        )
        self._list(index, name)
        return path

    def add(self, index: str, name: str, path: Path) -> Path:
        """Copy a finished distribution into an index, and return where it lies there.

        Args:
            index: the name of the index.
            name: the project's name.
            path: a wheel or an sdist; it may lie in the project's folder already.
        """
        folder = self.folder(index, name)
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / path.name
        if target != path:
            shutil.copyfile(path, target)
        self._list(index, name)
        return target

    def _list(self, index: str, name: str) -> None:
        """Write the PEP 503 page of a project, and the page that lists the projects of its index."""
        folder = self.folder(index, name)
        files = sorted(path for path in folder.iterdir() if path.name.endswith((".whl", ".tar.gz")))
        _page(folder / "index.html", [_link(path) for path in files])
        projects = sorted(path.name for path in folder.parent.iterdir() if path.is_dir())
        _page(folder.parent / "index.html", [f'<a href="{project}/">{project}</a>' for project in projects])


@contextlib.contextmanager
def serve(root: Path, port: int = 0, *, login: tuple[str, str] | None = None) -> Iterator[str]:
    """Serve a folder on the loopback while the block runs.

    Args:
        root: the folder, usually `Index.root`.
        port: 0 takes a free one.
        login: a user and a password, without which the server refuses: a private index.

    Yields:
        The base address, `http://127.0.0.1:<port>`.
    """
    handler = functools.partial(_QuietHandler, directory=str(root), login=login)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files without a log, and asks clients to look again before they trust a cached page."""

    protocol_version = "HTTP/1.1"  # keep-alive: uv opens one connection instead of dozens

    def __init__(self, *args: Any, directory: str, login: tuple[str, str] | None) -> None:  # noqa: ANN401
        # Before the base class, whose constructor answers the requests.
        self._wanted = None if login is None else "Basic " + base64.b64encode(":".join(login).encode()).decode()
        super().__init__(*args, directory=directory)

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        if self._wanted is None or self.headers.get("Authorization") == self._wanted:
            return super().send_head()
        self.send_response(http.HTTPStatus.UNAUTHORIZED)
        self.send_header("WWW-Authenticate", 'Basic realm="stand-ins"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return None

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is the base class's)
        """Say nothing."""


def _page(path: Path, links: list[str]) -> None:
    body = "<br>\n".join(links)
    path.write_text(f"<!DOCTYPE html>\n<html><body>\n{body}\n</body></html>\n")


def _link(path: Path) -> str:
    attributes = ""
    if path.suffix == ".whl":
        text = _wheel_metadata(path)
        path.with_name(f"{path.name}.metadata").write_bytes(text)
        attributes += f' data-core-metadata="sha256={hashlib.sha256(text).hexdigest()}"'
        requires_python = _header(text, "Requires-Python")
        if requires_python is not None:
            attributes += f' data-requires-python="{html.escape(requires_python)}"'
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f'<a href="{quote(path.name)}#sha256={digest}"{attributes}>{path.name}</a>'


def _wheel_metadata(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        member = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return archive.read(member)


def _header(text: bytes, name: str) -> str | None:
    prefix = f"{name}: "
    lines = text.decode().splitlines()
    return next((line.removeprefix(prefix) for line in lines if line.startswith(prefix)), None)
