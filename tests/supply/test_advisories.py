"""The audit for known vulnerabilities: the real uv, against a service of the OSV interface that this machine serves.

The real service is out of reach of many machines, and what it knows changes every day; its interface does not. So the
answers are those of a service with one advisory, in the published format, and everything between is real.
"""

from __future__ import annotations

import contextlib
import http
import http.server
import json
import threading
import tomllib
from typing import TYPE_CHECKING, ClassVar, Final

import pytest

from script.supply_chain import __main__ as supply
from script.supply_chain.advisories import Answer, Verdict, canary, vulnerabilities, yanked
from script.supply_chain.locks import origin
from tests.standins import uv_binary
from tests.support import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK: Final = (REPOSITORY / "uv.lock").read_text("utf-8")
REGISTRY: Final = origin(LOCK).registry
ID: Final = "PYSEC-2019-217"
ADVISORY: Final = {
    "id": ID,
    "summary": "Sandbox escape through str.format",
    "details": "In Pallets Jinja before 2.10.1, str.format_map allows a sandbox escape.",
    "aliases": ["CVE-2019-10906"],
    "modified": "2021-11-22T04:57:52Z",
    "published": "2019-04-07T00:29:00Z",
    "affected": [
        {
            "package": {"name": "jinja2", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.10.1"}]}],
        }
    ],
}
PINNED: Final = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "a"
version = "0"
source = {{ virtual = "." }}
dependencies = [{{ name = "jinja2", marker = "sys_platform == 'win32'" }}]

[[package]]
name = "jinja2"
version = "{version}"
source = {{ registry = "{registry}" }}
"""
PROJECT: Final = '[project]\nname = "a"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = ["%s"]\n'


class Service(http.server.BaseHTTPRequestHandler):
    """Knows one advisory of jinja2 below 2.10.1; `status` other than 200 answers everything with that."""

    status = http.HTTPStatus.OK
    knows = True
    asked: ClassVar[set[tuple[str, str]]] = set()

    def do_POST(self) -> None:
        """`/v1/querybatch`: the identifiers for each package and version."""
        query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.path == "/v1/querybatch"
        self.asked.update((one["package"]["name"], one["version"]) for one in query["queries"])
        self._send({"results": [self._known(one["package"]["name"], one["version"]) for one in query["queries"]]})

    def do_GET(self) -> None:
        """`/v1/vulns/<id>`: the advisory."""
        assert self.path == f"/v1/vulns/{ID}"
        self._send(ADVISORY)

    def _known(self, name: str, version: str) -> dict[str, object]:
        affected = self.knows and name == "jinja2" and tuple(map(int, version.split("."))) < (2, 10, 1)
        return {"vulns": [{"id": ID, "modified": ADVISORY["modified"]}]} if affected else {}

    def _send(self, answer: object) -> None:
        body = json.dumps(answer).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving(
    status: http.HTTPStatus = http.HTTPStatus.OK, *, knows: bool = True, asked: set[tuple[str, str]] | None = None
) -> Iterator[str]:
    """The address of a service; `asked` receives the packages and versions that it is asked about."""
    handler = type("Served", (Service,), {"status": status, "knows": knows, "asked": set() if asked is None else asked})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def uv() -> list[str]:
    return [uv_binary()]


def pinned(folder: Path, version: str) -> Path:
    """A project whose lock pins jinja2, in a fork that this machine does not install."""
    (folder / "pyproject.toml").write_text(PROJECT % f"jinja2=={version}; sys_platform == 'win32'")
    (folder / "uv.lock").write_text(PINNED.format(version=version, registry=REGISTRY))
    return folder


def test_a_vulnerable_pin_is_found(tmp_path: Path) -> None:
    with serving() as service:
        answer = vulnerabilities(uv(), pinned(tmp_path, "2.10"), service=service)
    assert answer.verdict is Verdict.FOUND
    assert "jinja2 2.10 has 1 known vulnerability" in answer.text
    assert "2.10.1" in answer.text


def test_a_fixed_pin_is_clean(tmp_path: Path) -> None:
    with serving() as service:
        assert vulnerabilities(uv(), pinned(tmp_path, "2.10.1"), service=service).verdict is Verdict.CLEAN


@pytest.mark.parametrize("folder", [".", "prod"])
def test_every_package_of_our_locks_is_asked_about(folder: str) -> None:
    project = REPOSITORY / folder
    packages = tomllib.loads((project / "uv.lock").read_text("utf-8"))["package"]
    asked: set[tuple[str, str]] = set()
    with serving(asked=asked) as service:
        assert vulnerabilities(uv(), project, service=service).verdict is Verdict.CLEAN
    assert asked == {(one["name"], one["version"]) for one in packages if "registry" in one["source"]}


def test_the_canary_is_known_to_a_service_that_works() -> None:
    with serving() as service:
        assert canary(uv(), REGISTRY, service=service).verdict is Verdict.FOUND


def test_a_service_that_answers_anything_is_not_believed() -> None:
    with serving(knows=False) as service:
        answer = canary(uv(), REGISTRY, service=service)
    assert answer.verdict is Verdict.NOT_ASKED
    assert "is not the real one" in answer.text


@pytest.mark.parametrize("status", [http.HTTPStatus.FORBIDDEN, http.HTTPStatus.NOT_FOUND])
def test_a_service_that_refuses_was_not_asked(status: http.HTTPStatus) -> None:
    with serving(status) as service:
        answer = canary(uv(), REGISTRY, service=service)
    assert answer.verdict is Verdict.NOT_ASKED
    assert str(status.value) in answer.text


def test_a_service_out_of_reach_was_not_asked() -> None:
    with serving() as service:
        pass
    assert canary(uv(), REGISTRY, service=service).verdict is Verdict.NOT_ASKED


def test_a_failure_of_uv_itself_is_no_missing_service(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="does not exist"):
        vulnerabilities(uv(), tmp_path / "nothing")


def test_a_yanked_release_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "index" / "simple" / "gone"
    page.mkdir(parents=True)
    (page / "index.html").write_text(
        '<a href="gone-1.0-py3-none-any.whl" data-yanked="it breaks" data-dist-info-metadata="true">'
        "gone-1.0-py3-none-any.whl</a>"
    )
    (page / "gone-1.0-py3-none-any.whl.metadata").write_text("Metadata-Version: 2.1\nName: gone\nVersion: 1.0\n")
    handler = type("Index", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *args: handler(*args, directory=str(tmp_path / "index"))
    )
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{server.server_port}/simple")
    (tmp_path / "pyproject.toml").write_text(PROJECT % "gone==1.0")
    try:
        answer = yanked(uv(), tmp_path)
    finally:
        server.shutdown()
        server.server_close()
    assert answer == Answer(verdict=Verdict.FOUND, text="gone==1.0 is yanked")
    assert yanked(uv(), tmp_path).verdict is Verdict.NOT_ASKED


@pytest.mark.parametrize(
    ("arguments", "answer", "code", "said"),
    [
        (
            [],
            Verdict.NOT_ASKED,
            0,
            "warning: NOT ASKED: known vulnerabilities in uv.lock. Nothing is known",
        ),
        (["--require-service"], Verdict.NOT_ASKED, 1, "error: NOT ASKED: known vulnerabilities in uv.lock."),
        ([], Verdict.FOUND, 1, "error: known vulnerabilities in uv.lock:\nwhat uv said"),
        ([], Verdict.CLEAN, 0, "known vulnerabilities in uv.lock: none. what uv said"),
    ],
)
def test_the_exit_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    answer: Verdict,
    code: int,
    said: str,
) -> None:
    question = ("known vulnerabilities in uv.lock", Answer(verdict=answer, text="what uv said"))
    monkeypatch.setattr(supply, "online", lambda _root: [question])
    assert supply.main(arguments) == code
    assert said in "".join(capsys.readouterr())


def test_an_unknown_argument_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert supply.main(["--fast"]) == 2
    assert "usage" in capsys.readouterr().err
