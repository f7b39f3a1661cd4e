"""The map of the corpus made in the background, once for each state of the index."""

import logging
import threading
from typing import Any

from rag_dolly.corpus_map import CorpusMap, read_map

_log = logging.getLogger(__name__)


class MapMaker:
    """Makes maps one at a time and keeps the last one. Safe to share between sessions."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: tuple[Any, CorpusMap | None] | None = None
        self._making: Any = None

    def get(self, index: Any) -> tuple[bool, CorpusMap | None]:
        """Return whether the map of the index as it is now is ready, and the map, None if it could not be made."""
        key = (id(index), index.passage_count, index.database.get("updated"))
        with self._lock:
            if self._made is not None and self._made[0] == key:
                return True, self._made[1]
            if self._making is None:
                self._making = key
                threading.Thread(target=self._make, args=(key, index), name="rag-dolly-map", daemon=True).start()
        return False, None

    def _make(self, key: Any, index: Any) -> None:
        found = None
        try:
            found = read_map(index)
        except Exception:
            _log.exception("the map could not be made")
        with self._lock:
            self._made, self._making = (key, found), None
