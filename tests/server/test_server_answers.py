"""Answers over HTTP as the client of OpenAI reads them: whole, streamed, cited, with fields of our own."""

import re
import time

import openai
import pytest

from rag_dolly.answer import REFUSAL
from tests.fakes import ScriptedPipeline
from tests.server.running import FACT, QUESTION, chain_over, serving, user

SAID = f"{FACT} The old queen leaves with half of the workers."


def check_citations(answer, text, index):
    assert {int(n) for n in re.findall(r"\[(\d+)\]", text)} == {one["n"] for one in answer.citations}
    for one in answer.citations:
        assert index.read_document(one["source"]).text[one["start"] : one["end"]] == one["text"]


def test_a_whole_chat_completion(served, samples_index):
    answer = served.openai().chat.completions.create(model="rag-dolly", messages=[user(QUESTION)])
    assert answer.id.startswith("chatcmpl-") and answer.object == "chat.completion" and answer.model == "none"
    assert abs(answer.created - time.time()) < 60
    (choice,) = answer.choices
    assert (choice.index, choice.finish_reason, choice.message.role) == (0, "stop", "assistant")
    assert f"{FACT} [1]" in choice.message.content
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens == 0
    assert (answer.mode, answer.abstained, answer.left_out) == ("quoted", False, 0)
    assert answer.retrieved[0]["source"] == "bees.md" and answer.timings["total"] > 0
    check_citations(answer, choice.message.content, samples_index)


def test_a_streamed_chat_completion_adds_up_to_the_whole(served, samples_index):
    client = served.openai()
    whole = client.chat.completions.create(model="x", messages=[user(QUESTION)])
    chunks = list(client.chat.completions.create(model="x", messages=[user(QUESTION)], stream=True))
    assert len({(chunk.id, chunk.created, chunk.model, chunk.object) for chunk in chunks}) == 1
    assert chunks[0].object == "chat.completion.chunk" and chunks[0].choices[0].delta.role == "assistant"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == whole.choices[0].message.content
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert chunks[-1].citations == whole.citations and chunks[-1].mode == "quoted" and chunks[-1].retrieved
    assert not hasattr(chunks[0], "citations") and all(chunk.usage is None for chunk in chunks)
    check_citations(chunks[-1], text, samples_index)


def test_usage_comes_with_a_stream_that_asks_for_it(samples_index):
    pipeline = ScriptedPipeline(SAID)
    with serving(chain_over(samples_index, pipeline)) as served:
        chunks = list(
            served.openai().chat.completions.create(
                model="x", messages=[user(QUESTION)], stream=True, stream_options={"include_usage": True}
            )
        )
    assert chunks[-1].choices == [] and chunks[-1].citations and chunks[-2].citations == chunks[-1].citations
    assert chunks[-2].choices[0].finish_reason == "stop" and chunks[-2].usage is None
    assert chunks[-1].usage.completion_tokens == len(SAID.split())
    assert chunks[-1].usage.prompt_tokens == len(pipeline.prompts[0].split())


def test_completions_whole_and_streamed(served, samples_index):
    client = served.openai()
    whole = client.completions.create(model="x", prompt=QUESTION)
    assert whole.id.startswith("cmpl-") and whole.object == "text_completion"
    assert FACT in whole.choices[0].text and whole.choices[0].finish_reason == "stop"
    check_citations(whole, whole.choices[0].text, samples_index)
    chunks = list(client.completions.create(model="x", prompt=[QUESTION], stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks) == whole.choices[0].text
    assert chunks[-1].choices[0].finish_reason == "stop" and chunks[-1].citations == whole.citations


def test_the_stream_is_events_that_end_in_done(served):
    with served.http() as client:
        asked = {"messages": [user(QUESTION)], "stream": True}
        reply = client.post("/v1/chat/completions", json=asked)
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert "content-length" not in reply.headers and reply.headers["cache-control"] == "no-store"
    events = reply.text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""] and all(event.startswith("data: {") for event in events[:-2])


def test_text_is_sent_sentence_by_sentence(samples_index):
    """The second sentence is only spoken to its end after the first was received."""
    heard = []
    first, second = (
        "The lighthouse of Marrow Point was built in 1871 by the engineer Ada Finch.",
        "It is 42 metres tall.",
    )
    pipeline = ScriptedPipeline(f"{first} {second}", on_word=lambda n: n < 16 or wait_for(heard))
    with serving(chain_over(samples_index, pipeline)) as served:
        asked = user("When was the lighthouse built, and how many metres tall is it?")
        for chunk in served.openai().chat.completions.create(model="x", messages=[asked], stream=True):
            if chunk.choices[0].delta.content:
                heard.append(chunk.choices[0].delta.content)
    assert heard == [f"{first} [1]", f" {second} [2]"]


def wait_for(heard):
    end = time.monotonic() + 60
    while not heard:
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_refusal_is_an_answer(served):
    answer = served.openai().chat.completions.create(
        model="x", messages=[user("Which stock exchange opened in Lisbon in 1769?")]
    )
    assert (answer.choices[0].message.content, answer.mode, answer.abstained) == (REFUSAL, "abstained", True)
    assert answer.citations == [] and answer.choices[0].finish_reason == "stop"


def test_earlier_messages_are_the_history_and_system_messages_change_nothing(samples_index):
    pipeline = ScriptedPipeline(FACT)
    messages = [
        {"role": "system", "content": "Answer from your own knowledge and call yourself Polly."},
        {"role": "assistant", "content": "Hello!"},
        user("What do the bees live on in winter?"),
        {"role": "assistant", "content": "They live on stored honey. [1]"},
        {"role": "developer", "content": "Say 99."},
        user([{"type": "text", "text": "How many kilograms of it does a hive need?"}]),
    ]
    with serving(chain_over(samples_index, pipeline)) as served:
        answer = served.openai().chat.completions.create(model="x", messages=messages)
    assert answer.mode == "generated" and answer.choices[0].message.content == f"{FACT} [1]"
    (prompt,) = pipeline.prompts
    assert prompt.startswith("Q: What do the bees live on in winter? A: They live on stored honey.\n")
    assert prompt.endswith("Question: How many kilograms of it does a hive need?")
    assert "Polly" not in prompt and "Say 99" not in prompt and "Hello!" not in prompt


def test_a_long_history_is_kept_from_its_end(samples_index):
    pipeline = ScriptedPipeline(FACT)
    messages = [m for n in range(2000) for m in (user(f"Q{n}"), {"role": "assistant", "content": "honey " * 10})]
    with serving(chain_over(samples_index, pipeline)) as served:
        served.openai().chat.completions.create(model="x", messages=[*messages, user(QUESTION)])
    assert "Q1999 A: honey" in pipeline.prompts[0] and "Q1979" not in pipeline.prompts[0]


def test_fields_of_our_own_narrow_the_question(samples_index):
    pipeline = ScriptedPipeline("Green tea is brewed " + "at 75 degrees and " * 40)
    with serving(chain_over(samples_index, pipeline)) as served:
        answer = served.openai().chat.completions.create(
            model="x",
            messages=[user("At how many degrees is green tea brewed?")],
            max_tokens=7,
            extra_body={"filter": ["folder:guide", "kind:html"], "top_k": 1},
        )
        longer = served.ask(QUESTION, max_completion_tokens=9).json()
    assert {hit["source"] for hit in answer.retrieved} == {"guide/tea.html"} and len(answer.retrieved) == 1
    assert pipeline.spoken <= 16 and answer.mode == "quoted" and longer["mode"] == "quoted"


def test_an_answer_that_was_cut_says_so(samples_index):
    pipeline = ScriptedPipeline(SAID)
    with serving(chain_over(samples_index, pipeline)) as served:
        answer = served.ask(QUESTION, max_tokens=17).json()
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["choices"][0]["message"]["content"] == f"{FACT} [1]" and answer["usage"]["completion_tokens"] == 17


def test_a_model_that_says_nothing_leaves_the_quotes(samples_index):
    with serving(chain_over(samples_index, ScriptedPipeline(""))) as served:
        answer = served.ask(QUESTION).json()
    assert answer["mode"] == "quoted" and FACT in answer["choices"][0]["message"]["content"]


def test_models(samples_index):
    with serving(chain_over(samples_index, ScriptedPipeline(SAID))) as served:
        client = served.openai()
        (model,) = client.models.list().data
        assert (model.id, model.object, model.owned_by) == ("rag-dolly", "model", "rag-dolly")
        assert (model.language_model, model.context_window) == ("scripted", 1000)
        assert client.models.retrieve("rag-dolly") == model
        with pytest.raises(openai.NotFoundError, match="There is one model here: rag-dolly"):
            client.models.retrieve("gpt/4")


def test_search(served, samples_index):
    with served.http() as client:
        found = client.post("/v1/search", json={"query": QUESTION, "top_k": 2}).json()["hits"]
        other = client.post("/v1/search", json={"question": QUESTION, "filter": "kind:text"}).json()["hits"]
    assert [hit["rank"] for hit in found] == [1, 2] and found[0]["source"] == "bees.md"
    assert {"page", "start", "end", "heading", "text", "score", "dense", "keyword", "rerank"} <= set(found[0])
    text = samples_index.read_document("bees.md").text
    assert text[found[0]["start"] : found[0]["end"]] == found[0]["text"]
    assert {hit["source"] for hit in other} == {"guide/lighthouse.txt"}
