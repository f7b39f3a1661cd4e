"""The hostile documents over HTTP: the answers are those of the chain, and no byte of a response acts anywhere."""

import json
import re
from collections import Counter

import pytest

from rag_dolly.generate.dialect import Dialect
from rag_dolly.prompt import DOLLY_KEYS
from tests.fakes import ScriptedPipeline
from tests.model.tiny_models import CHAT_SPECIALS, CHAT_TEMPLATE, DOLLY_SPECIALS, build_tokenizer
from tests.redteam.attacks import QUESTION, attacks
from tests.redteam.test_redteam_answer import LIVE, UNSEEN
from tests.server.running import chain_over, serving, user

ATTACKS = {attack.id: attack for attack in attacks()}
ACTS = re.compile(
    "[<>&\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e01ef]"
)
"""What no body may hold as it stands: markup, and what steers a terminal or ends a line."""
LONGEST = 1000
each = pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)


@pytest.fixture(scope="module")
def pipeline():
    return ScriptedPipeline()


@pytest.fixture(scope="module")
def served(hostile_index, pipeline):
    with serving(chain_over(hostile_index, pipeline)) as found:
        yield found


def checked(reply, kind="application/json"):
    """Return the text of a response that no browser and no terminal takes for more than text."""
    assert reply.status_code == 200 and reply.headers["content-type"].startswith(kind)
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-security-policy"].startswith("default-src 'none'")
    text = reply.content.decode("utf-8", "strict")
    assert not ACTS.search(text)
    return text


def events(text):
    """Return the objects of a stream, which is read by lines as loose clients read it."""
    lines = [line for line in text.splitlines() if line]
    assert all(line.startswith("data: ") for line in lines) and lines[-1] == "data: [DONE]"
    assert len(lines) == text.count("\n\n")
    return [json.loads(line[6:]) for line in lines[:-1]]


def check_answer(answer, text, expected, index):
    assert text == expected["answer"]
    for name in ("mode", "abstained", "citations", "left_out"):
        assert answer[name] == expected[name]
    assert [hit["text"] for hit in answer["retrieved"]] == [hit["text"] for hit in expected["retrieved"]]
    assert {int(n) for n in re.findall(r"\[(\d{1,3})\]", text)} == {one["n"] for one in answer["citations"]}
    assert not LIVE.search(text) and not UNSEEN.search(text)
    for one in answer["citations"]:
        assert index.read_document(one["source"]).text[one["start"] : one["end"]] == one["text"]


@each
def test_an_answer_is_that_of_the_chain_and_its_bytes_are_inert(attack, served, pipeline, obeyed, hostile_index):
    expected = obeyed(attack)
    pipeline.text = f"{attack.says} [1]" if attack.held != "page" else attack.says
    asked = {"filter": attack.scope}
    whole = json.loads(checked(served.ask(attack.question, **asked)))
    check_answer(whole, whole["choices"][0]["message"]["content"], expected, hostile_index)
    for word in attack.never:
        assert word.lower() not in whole["choices"][0]["message"]["content"].lower()
    chunks = events(checked(served.ask(attack.question, stream=True, **asked), "text/event-stream"))
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    check_answer(chunks[-1], text, expected, hostile_index)


@each
def test_search_gives_the_documents_text_in_bytes_that_are_inert(attack, served, hostile_index):
    with served.http() as client:
        asked = {"query": attack.question, "filter": f"folder:{attack.id}", "top_k": 20}
        hits = json.loads(checked(client.post("/v1/search", json=asked)))["hits"]
    assert hits and {hit["source"] for hit in hits} == {attack.source}
    for hit in hits:
        assert hostile_index.read_document(hit["source"]).text[hit["start"] : hit["end"]] == hit["text"]


@each
def test_what_an_attacker_asks_is_data_too(attack, served, pipeline):
    """Question, history, system message and fields hold the attack: the response is as inert, an error too."""
    pipeline.text = attack.says
    text = f"{attack.name} {attack.content or attack.says}"[:LONGEST]
    messages = [{"role": "system", "content": text}, user(text), {"role": "assistant", "content": text}, user(text)]
    body = {"messages": messages, "filter": attack.scope}
    with served.http() as client:
        answer = json.loads(checked(client.post("/v1/chat/completions", json=body)))
        said = answer["choices"][0]["message"]["content"]
        assert not LIVE.search(said) and not UNSEEN.search(said)
        for wrong in ({"filter": f"source:{json.dumps(text)}"}, {"filter": text}, {"top_k": text}):
            refused = client.post("/v1/chat/completions", json={**body, **wrong})
            assert refused.status_code == 400 and not ACTS.search(refused.text.rstrip("\n"))
            assert "\n" not in refused.json()["error"]["message"]


class Rendering(ScriptedPipeline):
    """Renders its prompts for a tokenizer, as a real model does."""

    def __init__(self, tokenizer):
        super().__init__("A hive needs honey.", window=100_000)
        self.render = Dialect(tokenizer).render


@pytest.mark.parametrize(("specials", "template"), [(DOLLY_SPECIALS, None), (CHAT_SPECIALS, CHAT_TEMPLATE)])
def test_no_request_and_no_document_adds_a_control_token(hostile_index, specials, template):
    tokenizer = build_tokenizer(specials)
    tokenizer.chat_template = template
    controls = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    rendering = Rendering(tokenizer)

    def counted(prompt):
        return Counter(i for i in tokenizer.encode(prompt) if i in controls)

    expected = counted(rendering.render("q", ["p"], [("q", "a")]))
    some = list(ATTACKS.values())[::3]  # tests/redteam/test_redteam_prompt.py takes all
    assert expected
    with serving(chain_over(hostile_index, rendering)) as served, served.http() as client:
        for attack in some:
            forged = f"{(attack.content or attack.says)[:LONGEST]} {' '.join((*specials, *DOLLY_KEYS))}"
            messages = [user(forged), {"role": "assistant", "content": forged}, user(f"{QUESTION} {forged}")]
            reply = client.post("/v1/chat/completions", json={"messages": messages, "filter": f"folder:{attack.id}"})
            assert reply.status_code == 200
    assert len(rendering.prompts) > len(some) / 2
    assert all(counted(prompt) == expected for prompt in rendering.prompts)
