"""LA303 to LA309 and LA311: the files of a lock, where they come from, and whether prod stands on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rules.cases import Case, ids, verify
from tests.rules.project_case import ProjectCase, project
from tests.rules.specimens import (
    FILES,
    INDEX,
    LINUX,
    MACOS,
    digest,
    edge,
    lock,
    package,
    plain,
    registry,
    root,
    sdist,
    wheel,
)

if TYPE_CHECKING:
    from pathlib import Path

PUBLIC = "https://public.example/simple"
MIRROR = "https://mirror.example/simple"
MD5 = digest("filelock", "md5")
FILELOCK = package("filelock")
IDNA = package("idna")
MANY = tuple(package(f"leaf-{number}") for number in range(6))


def hashed(rule: str, name: str, dev: str, prod: str, *found: str) -> Case:
    """A case of both files' hashes, with what else is said about files."""
    return Case(rule=rule, name=name, dev=plain(dev), prod=plain(prod), found=found, select=(rule, "LA106", "LA108"))


def filelock(*wheels: str, source: str = "", sdist: str = "") -> str:
    """An entry of filelock with these wheels."""
    return package("filelock", wheels=wheels or None, source=source, sdist=sdist)


def one(name: str = "filelock", **fields: str | None) -> str:
    """Its wheel; see `wheel`."""
    return wheel(name, **fields)  # type: ignore[arg-type] # `hash` and `base` only


def file_of(
    severity: str, code: str, name: str = "filelock", place: str = "prod/uv.lock", suffix: str = "-py3-none-any.whl"
) -> str:
    """A finding at a file."""
    return f"{severity}[{code}] {name} {place}: {name.replace('-', '_')}-1.0{suffix}"


PAIRED = sdist("filelock")
BARE = sdist("filelock", hash=None)
SAME_DIGIT = f"sha256:{'0' * 64}"

HASHES = (
    hashed("LA303", "an md5 in one is LA106's", FILELOCK, filelock(one(hash=MD5)), file_of("error", "LA106")),
    hashed("LA303", "md5 in both", filelock(one(hash=MD5)), filelock(one(hash=MD5)), file_of("warning", "LA303")),
    hashed(
        "LA303",
        "an sdist without a hash, beside a wheel with one",
        filelock(sdist=PAIRED),
        filelock(sdist=BARE),
        file_of("error", "LA303", suffix=".tar.gz"),
    ),
    hashed(
        "LA303",
        "the same in dev",
        filelock(sdist=BARE),
        filelock(sdist=PAIRED),
        file_of("error", "LA303", place="uv.lock", suffix=".tar.gz"),
    ),
    hashed(
        "LA303", "a wheel that prod installs is LA108's", FILELOCK, filelock(one(hash=None)), file_of("error", "LA108")
    ),
    hashed(
        "LA303",
        "zeros in both",
        filelock(one(hash=SAME_DIGIT)),
        filelock(one(hash=SAME_DIGIT)),
        file_of("error", "LA303"),
        file_of("error", "LA303", place="uv.lock"),
    ),
    hashed("LA303", "zeros in one are LA106's", FILELOCK, filelock(one(hash=SAME_DIGIT)), file_of("error", "LA106")),
    hashed("LA303", "every hash is a sha256", filelock(sdist=PAIRED), filelock(sdist=PAIRED)),
    hashed(
        "LA303",
        "an algorithm that is longer",
        filelock(one(hash=digest("a", "sha512"))),
        filelock(one(hash=digest("a", "sha512"))),
    ),
    Case(
        rule="LA303",
        name="a package of dev alone",
        dev=plain(IDNA, package("filelock", wheels=[one(hash=None), wheel("filelock", tag=MACOS)])),
        prod=plain(IDNA),
        found=(file_of("error", "LA303", place="uv.lock"),),
        select=("LA303",),
    ),
    Case(
        rule="LA303",
        name="no file of the package has a hash, but its registry serves them",
        dev=plain(IDNA, package("filelock", wheels=[one(hash=None)])),
        prod=plain(IDNA),
        found=(file_of("warning", "LA303", place="uv.lock"),),
        select=("LA303",),
    ),
    Case(
        rule="LA303",
        name="a registry that serves none",
        dev=plain(IDNA, package("filelock", wheels=[one(hash=None)], source=registry(MIRROR))),
        prod=plain(IDNA),
        select=("LA303",),
    ),
)


def placed(name: str, *packages: str, found: tuple[str, ...] = (), config: str = "", rule: str = "LA304") -> Case:
    """A case about the places of prod's files; dev has nothing."""
    return Case(
        rule=rule, name=name, dev=lock(root()), prod=plain(*packages), found=found, config=config, select=(rule,)
    )


ELSEWHERE = "https://files.elsewhere.example"
ALLOWED = f'allowed-registries = ["{INDEX}/"]\n'
FROM_PUBLIC = package(
    "filelock", source=registry(PUBLIC), wheels=[one(base="https://files.public.example/packages/aa")]
)
PLACES = (
    placed(
        "one file of a package from elsewhere",
        package("filelock", wheels=[wheel("filelock", tag=LINUX), wheel("filelock", tag=MACOS), one(base=ELSEWHERE)]),
        found=(file_of("error", "LA304"),),
    ),
    placed(
        "the only file of a package from elsewhere",
        *MANY,
        package("filelock", wheels=[one(base=ELSEWHERE)]),
        found=(file_of("error", "LA304"),),
    ),
    placed(
        "a file that is named after another package",
        package("filelock", wheels=[wheel("idna")]),
        found=("error[LA304] filelock prod/uv.lock: idna-1.0-py3-none-any.whl",),
    ),
    placed(
        "every file of a package from elsewhere",
        *MANY,
        package("idna", wheels=[wheel("idna", tag=tag, base=ELSEWHERE) for tag in (LINUX, MACOS)]),
        found=(f"error[LA304] idna prod/uv.lock: idna-1.0-{LINUX}.whl",),
    ),
    placed(
        "a proxy of a public index",
        *(package(f"leaf-{number}", source=registry(PUBLIC)) for number in range(6)),
    ),
    placed("files of a public index", FROM_PUBLIC),
    placed(
        "another host of the same domain", *MANY, package("filelock", wheels=[one(base="https://cdn.files.example")])
    ),
    placed("the registry's own host", *MANY, package("filelock", wheels=[one(base="https://index.example/files")])),
    placed("too few to tell", FILELOCK, package("idna", wheels=[wheel("idna", base=ELSEWHERE)])),
    placed(
        "a registry that links to several hosts",
        *MANY,
        package("filelock", wheels=[one(base=ELSEWHERE)]),
        package("idna", wheels=[wheel("idna", base=ELSEWHERE)]),
    ),
    placed("an sdist in another spelling", package("file-lock", sdist=sdist("File.Lock"))),
    Case(
        rule="LA304",
        name="one registry, two hosts of one domain",
        dev=plain(package("filelock", wheels=[one(base="https://download.torch.example")])),
        prod=plain(package("filelock", wheels=[one(base="https://download-r2.torch.example")])),
        found=(file_of("info", "LA304"),),
        select=("LA304",),
    ),
    Case(
        rule="LA304",
        name="one registry, two hosts",
        dev=plain(FILELOCK, IDNA),
        prod=plain(
            package("filelock", wheels=[one(base=ELSEWHERE)]), package("idna", wheels=[wheel("idna", base=ELSEWHERE)])
        ),
        found=(file_of("warning", "LA304"),),
        select=("LA304",),
    ),
    placed(
        "a registry that is not allowed",
        FILELOCK,
        package("idna", source=registry(MIRROR)),
        package("tqdm", source=registry(MIRROR)),
        config=ALLOWED,
        found=(f"error[LA304] idna prod/uv.lock: source = {{ {registry(MIRROR)} }}",),
    ),
    placed(
        "a URL that is not allowed",
        package("core", source=f'url = "{FILES}/core-1.0-py3-none-any.whl"', wheels=[wheel("core")]),
        config=ALLOWED,
        found=("error[LA304] core prod/uv.lock: core-1.0-py3-none-any.whl",),
    ),
    placed("allowed by its beginning", FILELOCK, config='allowed-registries = ["HTTPS://Index.example/"]\n'),
    placed(
        "a beginning ends at a slash",
        FILELOCK,
        config='allowed-registries = ["https://index.example/sim"]\n',
        found=(f"error[LA304] filelock prod/uv.lock: source = {{ {registry(INDEX)} }}",),
    ),
    placed("a folder of the repository", package("core", source='directory = "core"'), config=ALLOWED),
)


def unconfigured(
    name: str,
    *packages: str,
    prod_project: str = "",
    files: tuple[tuple[str, str], ...] = (),
    found: tuple[str, ...] = (),
    config: str = "",
) -> ProjectCase:
    """A case of LA311 about prod."""
    return ProjectCase(
        rule="LA311",
        name=name,
        dev=lock(root()),
        prod=plain(*packages),
        prod_project=prod_project or project(more="\n[tool.uv]\n"),
        files=files,
        config=config,
        found=found,
        select=("LA311",),
    )


def indexed(key: str) -> str:
    """A prod project with these settings of its index."""
    return project(more=f"\n[tool.uv]\n{key}\n")


STRAY = package("idna", source=registry(MIRROR))
AT_STRAY = f"error[LA311] idna prod/uv.lock: source = {{ {registry(MIRROR)} }}"
REGISTRIES = (
    unconfigured(
        "one package from elsewhere", FROM_PUBLIC, package("tqdm", source=registry(PUBLIC)), STRAY, found=(AT_STRAY,)
    ),
    unconfigured("one package beside a mirror", FILELOCK, *MANY, STRAY, found=(AT_STRAY,)),
    unconfigured(
        "one package beside configured ones",
        FILELOCK,
        STRAY,
        prod_project=indexed(f'index = [{{ name = "ours", url = "{INDEX}/", default = true }}]'),
        found=(AT_STRAY,),
    ),
    unconfigured("the default index alone", FROM_PUBLIC),
    unconfigured("a mirror in the environment", FILELOCK, IDNA),
    unconfigured(
        "a mirror in the environment, and one package from elsewhere",
        FROM_PUBLIC,
        IDNA,
        *MANY,
        found=(f"error[LA311] filelock prod/uv.lock: source = {{ {registry(PUBLIC)} }}",),
    ),
    *(
        unconfigured(f"configured as {key.partition(' ')[0]}", FROM_PUBLIC, STRAY, prod_project=indexed(key))
        for key in (
            f'extra-index-url = ["{MIRROR}"]',
            f'find-links = ["{MIRROR}/"]',
            'index = [{ name = "mirror", url = "https://user:secret@mirror.example/simple" }]',
        )
    ),
    unconfigured("another default index", STRAY, prod_project=indexed(f'index-url = "{MIRROR}"')),
    unconfigured(
        "the usual index, when another is the default",
        FROM_PUBLIC,
        STRAY,
        prod_project=indexed(f'index-url = "{MIRROR}"'),
        found=(f"error[LA311] filelock prod/uv.lock: source = {{ {registry(PUBLIC)} }}",),
    ),
    unconfigured(
        "configured in a uv.toml",
        FROM_PUBLIC,
        STRAY,
        files=(("prod/uv.toml", f'[[index]]\nname = "mirror"\nurl = "{MIRROR}"\n'),),
    ),
    unconfigured(
        "inherited from the root",
        FROM_PUBLIC,
        STRAY,
        prod_project=project(),
        files=(("uv.toml", f'[[index]]\nname = "mirror"\nurl = "{MIRROR}"\n'),),
    ),
    unconfigured("allowed", FROM_PUBLIC, STRAY, config=f'allowed-registries = ["{PUBLIC}", "{MIRROR}"]\n'),
    unconfigured("a folder", FROM_PUBLIC, package("idna", source='registry = "../wheels"')),
)

ORPHAN = lock(root(needs=["filelock"]), FILELOCK, IDNA)
TWO = package("filelock", wheels=[one(), one(hash=digest("other"))])
WORKSPACE = '\n[tool.uv.workspace]\nmembers = ["images"]\n'
IMAGES = (("images/pyproject.toml", project(name="images")), ("images/uv.lock", plain(FILELOCK, name="images")))
IN_IMAGES = '[tool.lockaudit.prod]\nlock = "images/uv.lock"\n'


def dead(name: str, workspace: str, found: tuple[str, ...] = (), images: str = "") -> ProjectCase:
    """A case of LA306: prod's lock is images/uv.lock."""
    files = (("images/pyproject.toml", images), IMAGES[1]) if images else IMAGES
    return ProjectCase(
        rule="LA306",
        name=name,
        dev=lock(
            root(needs=["filelock"]),
            FILELOCK,
            package("images", "0.1.0", source='virtual = "images"', needs=["filelock"]),
            top='\n[manifest]\nmembers = [\n    "app",\n    "images",\n]\n',
        ),
        dev_project=project("filelock", more=workspace),
        prod=plain(FILELOCK),
        files=files,
        config=IN_IMAGES,
        found=found,
        select=("LA306",),
    )


DEAD = "error[LA306] - pyproject.toml: [tool.uv.workspace]"


def inherited(
    name: str, root_more: str, prod_project: str, *found: str, files: tuple[tuple[str, str], ...] = ()
) -> ProjectCase:
    """A case of LA307."""
    return ProjectCase(
        rule="LA307",
        name=name,
        dev=plain(FILELOCK),
        dev_project=project("filelock", more=root_more),
        prod=plain(FILELOCK),
        prod_project=prod_project,
        files=files,
        found=tuple(f"warning[LA307] {text}" for text in found),
        select=("LA307",),
    )


ROOT_INDEX = f'\n[[tool.uv.index]]\nname = "ours"\nurl = "{INDEX}"\n'
FROM_WORKSPACE = "\n[tool.uv.sources]\nfilelock = { workspace = true }\n"

CASES: tuple[Case, ...] = (
    *HASHES,
    *PLACES,
    Case(
        rule="LA305",
        name="an entry without an edge to it",
        dev=plain(FILELOCK),
        prod=ORPHAN,
        found=('info[LA305] idna prod/uv.lock: name = "idna"',),
        select=("LA305",),
    ),
    Case(
        rule="LA305",
        name="only orphans need it",
        dev=plain(FILELOCK),
        prod=lock(root(needs=["filelock"]), FILELOCK, IDNA, package("requests", needs=["idna"])),
        found=(
            'info[LA305] idna prod/uv.lock: name = "idna"',
            'info[LA305] requests prod/uv.lock: name = "requests"',
        ),
        select=("LA305",),
    ),
    Case(
        rule="LA305",
        name="needed by an extra, a group, or elsewhere",
        dev=plain(FILELOCK),
        prod=lock(
            root(
                needs=[edge("filelock", marker="sys_platform == 'win32'")],
                extras={"a": ["idna"]},
                groups={"dev": ["tqdm"]},
            ),
            FILELOCK,
            IDNA,
            package("tqdm"),
        ),
        select=("LA305",),
    ),
    Case(
        rule="LA305",
        name="needed by a root without a project, and by a member",
        dev=plain(FILELOCK),
        prod=lock(
            FILELOCK,
            IDNA,
            package("core", source='virtual = "core"', needs=["idna"]),
            top='\n[manifest]\nmembers = ["core"]\nrequirements = [{ name = "filelock" }]\n',
        ),
        select=("LA305",),
    ),
    dead("prod is a member", WORKSPACE, (DEAD,)),
    dead("prod is matched by a glob", '\n[tool.uv.workspace]\nmembers = ["*"]\n', (DEAD,)),
    dead("prod is excluded", '\n[tool.uv.workspace]\nmembers = ["*"]\nexclude = ["ima*"]\n'),
    dead("another folder is a member", '\n[tool.uv.workspace]\nmembers = ["packages/*"]\n'),
    dead("no workspace", ""),
    dead("prod is not managed by uv", WORKSPACE, images=project(name="images", more="\n[tool.uv]\nmanaged = false\n")),
    inherited("an index of the root", ROOT_INDEX, project("filelock"), "- prod/pyproject.toml: [project]"),
    inherited(
        "a uv.toml of the root",
        "",
        project("filelock"),
        "- prod/pyproject.toml: [project]",
        files=(("uv.toml", 'exclude-newer = "2026-01-01"\n'),),
    ),
    inherited(
        "a source of the root's workspace",
        "",
        project("filelock", more=FROM_WORKSPACE),
        "filelock prod/pyproject.toml: filelock = { workspace = true }",
    ),
    inherited("prod has settings of its own", ROOT_INDEX, project("filelock", more="\n[tool.uv]\npackage = false\n")),
    inherited("prod has a uv.toml", ROOT_INDEX, project("filelock"), files=(("prod/uv.toml", ""),)),
    inherited(
        "what is inherited decides nothing", '\n[tool.uv]\ncache-dir = ".cache"\npackage = false\n', project("filelock")
    ),
    inherited(
        "a workspace of prod's own",
        "",
        project("filelock", more=FROM_WORKSPACE + '\n[tool.uv.workspace]\nmembers = ["packages/*"]\n'),
    ),
    Case(
        rule="LA308",
        name="a revision of tomorrow",
        dev=plain(FILELOCK),
        prod=plain(FILELOCK).replace("revision = 3", "revision = 6"),
        found=("info[LA308] - prod/uv.lock: revision = 6",),
        select=("LA308",),
    ),
    Case(
        rule="LA308",
        name="the newest that is known",
        dev=plain(FILELOCK).replace("revision = 3\n", ""),
        prod=plain(FILELOCK).replace("revision = 3", "revision = 5"),
        select=("LA308",),
    ),
    Case(
        rule="LA309",
        name="one wheel twice, with two hashes",
        dev=plain(FILELOCK),
        prod=plain(TWO),
        found=(file_of("error", "LA309"),),
        select=("LA309",),
    ),
    Case(
        rule="LA309",
        name="one wheel twice, with two sizes",
        dev=plain(FILELOCK),
        prod=plain(package("filelock", wheels=[wheel("filelock"), wheel("filelock", size=1001)])),
        found=(file_of("error", "LA309"),),
        select=("LA309",),
    ),
    Case(
        rule="LA309",
        name="one wheel twice, the same",
        dev=plain(FILELOCK),
        prod=plain(package("filelock", wheels=[one(), one()])),
        select=("LA309",),
    ),
    Case(
        rule="LA309",
        name="one name at two indexes",
        dev=plain(FILELOCK),
        prod=lock(
            root(
                needs=[
                    f'{{ name = "filelock", version = "1.0", source = {{ {registry(url)} }}, marker = "{marker}" }}'
                    for url, marker in ((INDEX, "sys_platform == 'linux'"), (MIRROR, "sys_platform != 'linux'"))
                ]
            ),
            FILELOCK,
            package("filelock", source=registry(MIRROR), wheels=[one(base=ELSEWHERE, hash=digest("other"))]),
        ),
        select=("LA309",),
    ),
    *REGISTRIES,
)


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_rule(case: Case, tmp_path: Path) -> None:
    verify(case, tmp_path)
