"""Reflowed text has the same length and the same words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_dolly.app.reflow import reflow

LONG = "This line is long enough to have been wrapped by an editor"


@given(st.text(alphabet="ab \n`#-*|1.語", max_size=300))
def test_only_line_breaks_change_and_offsets_stay(text):
    shown = reflow(text)
    assert len(shown) == len(text)
    assert all(new == old or (old, new) == ("\n", " ") for old, new in zip(text, shown, strict=True))


def test_a_wrapped_paragraph_is_joined():
    assert reflow(f"{LONG}\nand goes on.\n\nNext.") == f"{LONG} and goes on.\n\nNext."


@pytest.mark.parametrize(
    "text",
    [
        f"{LONG}\n- item",
        f"{LONG}\n1. item",
        f"{LONG}\n\nparagraph",
        f"# {LONG}\ntext",
        f"| {LONG} |\n| --- |",
        f"```\n{LONG}\n{LONG}\n```\n{LONG}",
        f"    {LONG}\ncode",
        "Roses are red\nviolets are blue",
        "語" * 60 + "\n" + "語" * 60,
    ],
)
def test_other_line_breaks_stay(text):
    assert reflow(text) == text
