"""The report: everything is escaped, nothing is loaded, filters need no script, sources stand beside the answer."""

import base64
import hashlib
import re

import pytest

from rag_dolly.answer_report import FAULTS, MAX_CHARACTERS, as_html, check_suffix, write_report
from rag_dolly.errors import BadSetting, RagDollyError
from rag_dolly.evaluate_answers import evaluate_answers
from tests.evaluate.answers import answer, citation, hit, question, refusal

HOSTILE = '</style><script>alert(1)</script><img src="http://x/y" onerror=alert(2)>&lt;\u202e\x1b[31m" onclick="x'


def page(*pairs):
    questions, answers = zip(*pairs, strict=True)
    found = evaluate_answers(questions, answers, {"tower.txt", HOSTILE})
    return "".join(as_html(found, {"data": HOSTILE, "model": HOSTILE, "reranker": ""}))


def test_hostile_text_stays_text():
    row = answer(f"{HOSTILE} [1]", [citation(source=HOSTILE, text=HOSTILE)], asked=HOSTILE)
    row["retrieved"] = [hit(source=HOSTILE, text=f"{HOSTILE} 42 metres {HOSTILE}")]
    asked = question(HOSTILE, (HOSTILE, "42 metres"), doc=HOSTILE, text=HOSTILE)
    html = page((asked, row), (question("b", (HOSTILE,), answerable=False, text=HOSTILE), row))
    for tag in ("<script", "<img", "<iframe", "\u202e", "\x1b", "javascript:"):
        assert tag not in html
    outside = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    tags = set(re.findall(r"<(\w+)", outside))
    assert tags <= {
        *"html head meta title body h1 h2 h3 p table tr th td br small svg rect text div input label main".split(),
        *"article mark u blockquote details summary".split(),
    }
    assert not re.search(r"<[^>]*\s(?:on\w+|href|src|style)=", outside)
    assert html.count("<style>") == html.count("</style>") == 1


def test_the_policy_allows_the_style_of_the_page_and_nothing_else():
    html = page((question(), answer()))
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)[1]
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert html.index("Content-Security-Policy") < html.index("<style>")


def test_a_failure_stands_beside_its_sources():
    html = page((question(answers=["1902"]), answer()), (question("b"), refusal()))
    wrong, refused = re.findall(r"<article.*?</article>", html, re.DOTALL)
    assert 'class="any-fault answer-not-shown answerable quoted"' in wrong
    assert "Intro. <u>The tower is 42 metres tall.</u> It was built in <mark>1902</mark>." in wrong
    assert "tower.txt, characters 7-35, score 0.800" in wrong and "Expected: <mark>1902</mark> — tower.txt" in wrong
    assert "dense 0.600" in wrong and "quoted" in wrong
    assert 'class="any-fault false-refusal answerable abstained"' in refused and "Passages retrieved" in refused
    assert "<mark>42 metres</mark>" in refused


def test_what_is_right_needs_no_list_of_passages():
    html = page((question(), answer()))
    assert 'class="no-fault answerable quoted"' in html and "Passages retrieved" not in html


def test_each_choice_has_its_button_and_its_rule():
    html = page((question(), answer()))
    for fault in FAULTS:
        name = fault.replace(" ", "-")
        assert f'id="fault-{name}"' in html and f'for="fault-{name}"' in html
        assert f"body:has(#fault-{name}:checked) article:not(.{name}){{display:none}}" in html
    assert html.count(" checked>") == 3


def test_a_long_passage_is_shown_around_the_answer():
    row = refusal()
    row["retrieved"] = [hit(text="x " * 20_000 + "it is 42 metres tall" + " y" * 20_000)]
    html = page((question(), row))
    shown = re.search(r"<blockquote>(.*?)</blockquote>", html, re.DOTALL)[1]
    assert "<mark>42 metres</mark>" in shown and len(shown) < MAX_CHARACTERS + 50
    assert shown.startswith("…") and shown.endswith("…")


def test_files(tmp_path):
    found = evaluate_answers([question()], [answer("half \ud800 a pair [1]")], {"tower.txt"})
    write_report(found, {"data": "set"}, tmp_path / "r.html")
    assert re.search(r"half \??\s?a pair", (tmp_path / "r.html").read_text(encoding="utf-8"))
    with pytest.raises(RagDollyError, match="cannot be written"):
        write_report(found, {"data": "set"}, tmp_path)
    with pytest.raises(BadSetting, match=r"\.html"):
        check_suffix(tmp_path / "r.pdf")
