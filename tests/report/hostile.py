"""Pictures in which every text is hostile: it tries to end what it stands in."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from auditor.finding import Severity
from auditor.report.graph.model import (
    Build,
    BuildEdge,
    BuildNode,
    Entry,
    Kind,
    PackageNode,
    Picture,
    Reach,
    Remark,
    State,
    View,
)

HOSTILE: Final = (
    "</script><script>alert(1)</script>",
    '" onfocus="alert(1)" autofocus="',
    "' onclick='alert(1)",
    "<img src=x onerror=alert(1)>",
    "</style><style>*{display:none}",
    "<!--",
    "]]>",
    "${alert(1)}",
    "{{7*7}}",
    "javascript:alert(1)",
    "&lt;b&gt;&amp;",
    "a\u00a0b",
)
WORDS: Final = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp")), min_size=1, max_size=30),
    st.lists(st.sampled_from([*HOSTILE, "<", ">", '"', "'", "&", "/"]), min_size=1, max_size=4).map("".join),
)
SOURCES: Final = st.builds(
    Entry,
    version=WORDS,
    kind=st.just("registry"),
    source=WORDS,
    file=WORDS,
    hash=WORDS,
    size=st.none() | st.integers(0, 10**12),
    needs=st.lists(WORDS, max_size=2).map(tuple),
    path=st.lists(WORDS, min_size=1, max_size=3).map(tuple),
)
REMARKS: Final = st.lists(
    st.builds(
        Remark,
        code=WORDS,
        severity=st.sampled_from(Severity),
        message=WORDS,
        help=WORDS,
        where=WORDS,
        accepted=WORDS,
    ),
    max_size=2,
).map(tuple)


@st.composite
def pictures(draw: st.DrawFn) -> tuple[Picture, list[str]]:
    """A picture in which every text is hostile, and what must be readable in it."""
    names = draw(st.lists(WORDS, min_size=1, max_size=4, unique=True))
    packages = []
    for number, name in enumerate(names):
        state = draw(st.sampled_from(State))
        packages.append(
            PackageNode(
                id=f"p-{number}",
                name=name,
                state=state,
                compiled=draw(st.booleans()),
                dev=None if state is State.PROD_ONLY else draw(SOURCES),
                prod=None if state is State.DEV_ONLY else draw(SOURCES),
                why=draw(st.lists(WORDS, max_size=2).map(tuple)),
                key=draw(WORDS),
                remarks=draw(REMARKS),
            )
        )
    labels = draw(st.lists(WORDS, min_size=2, max_size=4))
    nodes = tuple(
        BuildNode(
            id=f"b-{number}",
            kind=draw(st.sampled_from(Kind)),
            label=label,
            about=draw(WORDS),
            facts=((draw(WORDS), draw(WORDS)),),
            remarks=draw(REMARKS),
        )
        for number, label in enumerate(labels)
    )
    ranks = [list(Kind).index(node.kind) for node in nodes]
    edges = tuple(
        BuildEdge(source=one.id, target=other.id, how=draw(WORDS), reach=draw(st.sampled_from(Reach)))
        for place, one in enumerate(nodes)
        for rank, other in enumerate(nodes)
        if ranks[place] < ranks[rank]
    )
    pair, target, lock, note = draw(WORDS), draw(WORDS), draw(WORDS), draw(WORDS)
    view = View(pair=pair, target=target, dev_lock=lock, prod_lock=lock, packages=tuple(packages), notes=(note,))
    build = Build(pair=pair, nodes=nodes, edges=edges, notes=(note,))
    title = draw(WORDS)
    picture = Picture(name=title, views=(view, view), builds=(build,), remarks=draw(REMARKS))
    return picture, [*names, *labels, target, lock, note, title]
