"""Questions and answer objects as tests need them, made by hand."""

import json

from rag_dolly.answer_questions import Question

PASSAGE = "Intro. The tower is 42 metres tall. It was built in 1902."
CITED = "The tower is 42 metres tall."


def question(key="q", answers=("42 metres",), answerable=True, doc="tower.txt", pages=(), text="How tall is it?"):
    return Question(key, text, tuple(answers), answerable, doc, frozenset(pages))


def citation(n=1, source="tower.txt", text=CITED, page=None, score=0.8):
    start = max(PASSAGE.find(text), 0)
    return {"n": n, "source": source, "page": page, "start": start, "end": start + len(text), "text": text,
            "score": score, "place": ""}  # fmt: skip


def hit(source="tower.txt", text=PASSAGE, dense=0.6):
    return {"rank": 1, "source": source, "page": None, "start": 0, "end": len(text), "text": text, "heading": "",
            "score": 1.0, "dense": dense, "keyword": 2.0, "rerank": None, "place": "", "also": []}  # fmt: skip


def answer(
    text=f"{CITED} [1]", citations=None, mode="quoted", dense=0.6, seconds=1.0, asked="How tall is it?", key="q"
):
    citations = [citation()] if citations is None else citations
    return {
        "id": key,
        "question": asked,
        "answer": text,
        "abstained": mode == "abstained",
        "mode": mode,
        "citations": [] if mode == "abstained" else citations,
        "retrieved": [hit(dense=dense)],
        "short_answer": None,
        "left_out": 0,
        "left_out_hits": [],
        "model": "none",
        "usage": {},
        "timings": {"retrieve": 0.1, "first_token": 0.1, "total": seconds},
    }


def refusal(**given):
    return answer("I could not find an answer to this in the documents.", mode="abstained", **given)


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
