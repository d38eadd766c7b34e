"""Links in the documents lead somewhere."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    path for pattern in ("*.md", "docs/**/*.md", "infrastructure/*.md") for path in ROOT.glob(pattern)
]
CODE = re.compile(r"```.*?```", re.DOTALL)


@cache
def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", CODE.sub("", document.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(document: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", CODE.sub("", document.read_text(encoding="utf-8")))
    for link in links:
        name, _, anchor = link.partition("#")
        if "://" not in name:
            target = (document.parent / name).resolve() if name else document
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link
