"""A hook of mkdocs: links that leave docs/ (`../README.md`) lead to the repository, if what they name exists there."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

REPOSITORY: Final = "https://github.com/lockaudit/lockaudit/blob/main"
_LINK: Final = re.compile(r"\]\((?P<path>\.\./[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")
_LOG: Final = logging.getLogger("mkdocs.hooks.links")  # in strict mode, what is logged here as a warning is an error


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - mkdocs'
    """Rewrite these links of a page."""
    root = Path(config.docs_dir).parent

    def rewritten(match: re.Match[str]) -> str:
        folder = PurePosixPath("docs", page.file.src_uri).parent
        path = os.path.normpath(folder / match["path"]).replace(os.sep, "/")
        if path.startswith("docs/"):
            return match[0]
        if not (root / path).exists():
            _LOG.warning("'%s' links to %s, which is not in the repository", page.file.src_uri, path)
        return f"]({REPOSITORY}/{path}{match['anchor'] or ''})"

    return _LINK.sub(rewritten, markdown)
