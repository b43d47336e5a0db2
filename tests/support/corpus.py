"""The reference trees, which are no part of this one: beside a checkout, or where CLIPPINGS_CORPUS says."""

import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

BESIDE = Path(__file__).parents[3] / "shared" / "corpus"
CORPUS = Path(os.environ.get("CLIPPINGS_CORPUS", BESIDE))

needs_corpus = pytest.mark.skipif(
    not (CORPUS / "powerapps-2024").is_dir(),
    reason="the reference trees are not beside this checkout; CLIPPINGS_CORPUS names their folder",
)


@cache
def front_matters(year: int) -> Mapping[str, dict[str, Any]]:
    """Of every Markdown document of a tree, by path; all scalars are text."""
    root = CORPUS / f"powerapps-{year}"
    found = {}
    for file in sorted(root.rglob("*.md")):
        text = file.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
        if front := re.match(r"---\n(.*?)\n---[ \t]*(?:\n|\Z)", text, re.DOTALL):
            loaded = yaml.load(front[1], yaml.BaseLoader)  # noqa: S506  it makes nothing but text
            found[file.relative_to(root).as_posix()] = loaded
    return found
