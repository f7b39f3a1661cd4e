"""One open connection to the index file: locked, in transactions, its errors in words."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingest.errors import IndexMismatch, RagDollyError
from ingest.schema import connect


class Database:
    """A connection that may be used from several threads. Raises `IndexMismatch` for a foreign or damaged file."""

    def __init__(self, path: Path, create: bool = False) -> None:
        self._lock = threading.RLock()
        self._db = connect(path, create)

    def close(self) -> None:
        """Close the connection; the write-ahead log is folded into the file by the last to close."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside is stored together or not at all. A transaction inside another is part of it."""
        with self._lock:
            inner = self._db.in_transaction
            if inner:
                yield
                return
            try:
                self._run("BEGIN IMMEDIATE")
                yield
                self._run("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        """All that is read inside is of one moment, whatever others write meanwhile."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._run("BEGIN")
            try:
                yield
            finally:
                self._db.execute("ROLLBACK")

    def version(self) -> tuple[int, int]:
        """Return a value that changes whenever anybody, in this process or another, has written."""
        with self._lock:
            (others,) = self._db.execute("PRAGMA data_version").fetchone()
            return others, self._db.total_changes

    def problems(self) -> list[str]:
        """Return what SQLite finds wrong with the file; an empty list is a sound index."""
        found = [str(row[0]) for row in self._rows("PRAGMA quick_check")]
        return [] if found == ["ok"] else found

    def compact(self) -> bool:
        """Write the file anew without what was deleted, in it and in its log; whether no reader stood in the way."""
        self._run("VACUUM")
        (blocked, _, _) = self._rows("PRAGMA wal_checkpoint(TRUNCATE)")[0]
        return not blocked

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        with self._lock, _in_words():
            return self._db.execute(sql, values).fetchall()

    def _run(self, sql: str, *values: Any) -> sqlite3.Cursor:
        with self._lock, _in_words():
            return self._db.execute(sql, values)


@contextmanager
def _in_words() -> Iterator[None]:
    """Say in a line what SQLite could not do: disk full, locked, damaged."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # a mistake of ours
    except sqlite3.OperationalError as error:
        raise RagDollyError(f"The index cannot be used now: {error}; what was stored before is intact.") from error
    except sqlite3.DatabaseError as error:
        raise IndexMismatch(f"The index is damaged: {error}; ingest the folder into a new --index.") from error
