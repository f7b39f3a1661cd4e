"""Where in the index a passage stands, by the place in its document: for neighbours, and for stored vectors."""

from collections.abc import Iterable

from ingest.database import Database

Place = tuple[str, int]
"""The source of a document, and the number of a passage in it, counted from 0."""


def ids_at(store: Database, places: Iterable[Place]) -> dict[Place, int]:
    """Return place -> passage id; places where there is no passage are left out."""
    sql = "SELECT p.id FROM passages p JOIN documents d ON d.id = p.document WHERE d.source = ? AND p.ordinal = ?"
    found = {place: store._rows(sql, *place) for place in places}
    return {place: int(rows[0][0]) for place, rows in found.items() if rows}
