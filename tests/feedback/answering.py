"""Answers as the chain gives them, for feedback to be about."""


def hit(source="garden.md", text="Water the tomatoes in the morning.", start=0, place="", page=None):
    where = {"rank": 1, "source": source, "ordinal": 0, "page": page, "start": start, "end": start + len(text)}
    return {
        **where,
        "place": place,
        "heading": "",
        "text": text,
        "score": 0.5,
        "dense": 0.5,
        "keyword": 1.0,
        "also": [],
    }


def citation(hit, n=1):
    return {**{key: hit[key] for key in ("source", "page", "place", "start", "end", "text")}, "n": n, "score": 0.9}


def result(answer="In the morning. [1]", hits=None, cited=(0,), mode="generated", total=1.0):
    hits = [hit()] if hits is None else hits
    citations = [citation(hits[n], number) for number, n in enumerate(cited, 1)]
    return {
        **{"answer": answer, "retrieved": hits, "citations": citations, "mode": mode, "abstained": mode == "abstained"},
        **{"model": "fake", "timings": {"total": total}},
    }
