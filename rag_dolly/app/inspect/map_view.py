"""The map of the corpus as a chart: a point for each passage, the question and its hits on top; a click opens one.

Names and texts in it are data of the chart, which draws them as text.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from rag_dolly import corpus_map
from rag_dolly.app import markup, session
from rag_dolly.app.inspect.map_job import MapMaker
from rag_dolly.corpus_map import CorpusMap

_PICK = "pick"
_COLOURS = ("#2f9e83", "#d9813a", "#5b84d6", "#c75c97", "#94a33a", "#9272c9", "#2fa3bd", "#a3836a")
_OTHERS = "#9a9c98"
_OPENED = {"type": "circle", "size": 520, "filled": False, "stroke": "#b3261e", "strokeWidth": 2.5, "opacity": 1}
_RING = {"type": "circle", "size": 300, "color": "#ffd54a", "stroke": "#5c4a00", "strokeWidth": 1.2, "opacity": 1}
_NUMBER = {"type": "text", "fontSize": 11, "fontWeight": 600, "color": "#22262a"}
_DIAMOND = {
    "type": "point",
    "shape": "diamond",
    "size": 320,
    "filled": True,
    "color": "#b3261e",
    "stroke": "white",
    "strokeWidth": 1.5,
    "opacity": 1,
}


@st.cache_resource(show_spinner=False)
def maker() -> MapMaker:
    """Return the one maker of this process."""
    return MapMaker()


def draw(index: Any, result: Mapping[str, Any] | None) -> None:
    """Draw the map, with the question and the hits of an answer if one is given."""
    ready, found = maker().get(index)
    if not ready:
        st.fragment(_waiting, run_every=0.5)(index)
    elif found is None:
        st.html(markup.element("p", "rd-note", "The map could not be made. The terminal shows why."))
    elif len(found.passages) < 3:
        st.html(markup.element("p", "rd-note", "There are too few passages for a map."))
    else:
        _chart(index, found, result)


def _waiting(index: Any) -> None:
    if maker().get(index)[0]:
        st.rerun()
    st.html(f'<p class="rd-status">{markup.element("span", "rd-pulse", "Laying out the passages…")}</p>')


def _chart(index: Any, found: CorpusMap, result: Mapping[str, Any] | None) -> None:
    hits, asked = _drawn_in(index, found, result)
    ids, rows = [one.id for one in found.passages], _rows(found)
    event: Any = st.vega_lite_chart(
        spec=_layers(rows, hits, asked, _opened(found)),
        key=f"corpus-map-{_clicks()}",
        on_select="rerun",
        selection_mode=_PICK,
        width="stretch",
        alt=f"A map of {len(ids):,} passages; passages that are alike lie near each other.",
    )
    part = "" if len(ids) == found.total else f"A sample of {len(ids):,} of {found.total:,} passages. "
    line = f"{part}Near means alike, as far as two directions show it: {found.axes.shown:.0%} of all differences."
    st.html(_legend(_colours(rows)) + markup.element("p", "rd-note", line))
    _open(index, event.selection.get(_PICK, []))


def _colours(rows: Sequence[Any]) -> dict[str, str]:
    """Return the colour of each group; the one of all others is grey and comes last."""
    names = sorted({row["group"] for row in rows} - {corpus_map.OTHERS})
    found = dict(zip(names, _COLOURS, strict=False))
    return found | ({corpus_map.OTHERS: _OTHERS} if any(row["group"] == corpus_map.OTHERS for row in rows) else {})


def _legend(colours: Mapping[str, str]) -> str:
    """Return as HTML which colour is which; the chart's own legend is cut off where the page is narrow."""
    names = "".join(f'<li style="--rd-part: {colour}">{markup.escape(name)}</li>' for name, colour in colours.items())
    return f'<ul class="rd-parts">{names}</ul>'


def _clicks() -> int:
    """Return the number of a chart in which nothing is picked yet, once the passage picked in the last one is closed.

    A chart tells of a click only if it picks something else than before.
    """
    state = st.session_state
    if session.opened() is None and state.pop("map-picked", None) is not None:
        state["map-closed"] = state.get("map-closed", 0) + 1
    return int(state.get("map-closed", 0))


def _opened(found: CorpusMap) -> list[dict[str, Any]]:
    """Return the row of the passage that is open, if it is on the map."""
    place = session.place() if session.opened() else None
    at = (place["source"], place["start"]) if place else None
    points = zip(found.passages, found.points, strict=True)
    return [
        {"id": one.id, "x": float(x), "y": float(y), **_said(one.passage)}
        for one, (x, y) in points
        if (one.passage.source, one.passage.start) == at
    ]


def _rows(found: CorpusMap) -> list[dict[str, Any]]:
    names = corpus_map.groups([one.passage.source for one in found.passages])
    return [
        {"id": one.id, "x": float(x), "y": float(y), "group": markup.shorten(name, 28), **_said(one.passage)}
        for one, (x, y), name in zip(found.passages, found.points, names, strict=True)
    ]


def _said(passage: Any) -> dict[str, str]:
    within = passage.place or (f"page {passage.page}" if passage.page else "")
    where = " · ".join(part for part in (passage.source, within) if part)
    return {"where": markup.shorten(where, 80), "text": markup.shorten(passage.text, 110)}


def _drawn_in(
    index: Any, found: CorpusMap, result: Mapping[str, Any] | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of the hits of an answer, and that of its question."""
    if not result or not result.get("retrieved"):
        return [], []
    places = [(hit["source"], hit["ordinal"]) for hit in result["retrieved"]]
    known = index.ids_at(places)
    hits = [(hit, known[place]) for hit, place in zip(result["retrieved"], places, strict=True) if place in known]
    rows = []
    if hits:
        points = found.axes.place(index.vectors_of([key for _, key in hits]))
        for (hit, key), (x, y) in zip(hits, points, strict=True):
            shown = {"where": markup.shorten(hit["source"], 80), "text": markup.shorten(hit["text"], 110)}
            rows.append({"id": key, "x": float(x), "y": float(y), "rank": str(hit["rank"]), **shown})
    asked = str(result["question"])
    x, y = found.axes.place(index.embedder.embed_query(asked)[None, :])[0]
    return rows, [{"x": float(x), "y": float(y), "where": "The question", "text": markup.shorten(asked, 110)}]


def _layers(rows: Sequence[Any], hits: Sequence[Any], asked: Sequence[Any], opened: Sequence[Any]) -> dict[str, Any]:
    """Return the chart as Vega-Lite: passages, then hits with their ranks, then the question, none hiding the next."""
    colours = _colours(rows)
    rows = sorted(rows, key=lambda row: row["group"] != corpus_map.OTHERS)
    scale = {"domain": list(colours), "range": list(colours.values())}
    colour = {"field": "group", "type": "nominal", "scale": scale, "legend": None}
    pick = {"name": _PICK, "select": {"type": "point", "fields": ["id"], "on": "click", "toggle": False}}
    point = {"type": "circle", "size": 34, "opacity": 0.55, "cursor": "pointer"}
    layers = [_layer(rows, point, color=colour) | {"params": [pick]}]
    if hits:
        rank = {"field": "rank", "type": "nominal"}
        layers += [_layer(hits, _RING), _layer(hits, _NUMBER, text=rank)]
    if asked:
        layers.append(_layer(asked, _DIAMOND))
    if opened:
        layers.append(_layer(opened, _OPENED))
    return {"layer": layers, "height": 440, "config": {"view": {"stroke": None}}}


def _layer(rows: Sequence[Any], mark: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    scale = {"zero": False, "padding": 24}
    at = {name: {"field": name, "type": "quantitative", "axis": None, "scale": scale} for name in ("x", "y")}
    tooltip = [{"field": name, "type": "nominal", "title": name.capitalize()} for name in ("where", "text")]
    return {
        "data": {"values": list(rows)},
        "mark": {**mark, "aria": False},
        "encoding": {**at, "tooltip": tooltip, **more},
    }


def _open(index: Any, picked: Sequence[Mapping[str, Any]]) -> None:
    """Open the passage that was clicked, once for each click; a hit may lie outside of the sample that is drawn."""
    key = picked[0].get("id") if picked else None
    if not isinstance(key, int) or key == st.session_state.get("map-picked"):
        return
    st.session_state["map-picked"] = key
    for one in index.passages([key]):
        names = ("source", "page", "start", "end", "text", "place")
        session.open_place({name: getattr(one.passage, name) for name in names})
        st.rerun()
