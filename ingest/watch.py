"""Keeping the index within seconds of the folder: wait for changes, bring the index up to date, wait again."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import watchfiles

from ingest.errors import RagDollyError
from ingest.report import Report

SETTLE_MS = 800
"""Changes that follow each other within this time are taken together."""
RETRY_SECONDS = 5


def watch(
    paths: Sequence[Path],
    index_dir: Path,
    ingest: Callable[[], Report],
    on_error: Callable[[RagDollyError], None],
    stop: threading.Event | None = None,
) -> Iterator[Report]:
    """Yield a report after each change below `paths`, until `stop` is set. Changes in `index_dir` itself do not count.

    `ingest` brings the index up to date. It is run once without a change, after `RETRY_SECONDS`: what changed before
    the watch began is not told. When it fails (the index is busy, the folder is away) the failure goes to `on_error`
    and it is tried again after `RETRY_SECONDS`, and with the next change.
    """
    home = index_dir.resolve()
    stop = stop or threading.Event()

    def counts(_: watchfiles.Change, path: str) -> bool:
        return not Path(path).is_relative_to(home)

    behind, told = True, False
    changes = watchfiles.watch(
        *[path for path in paths if path.exists()],
        watch_filter=counts,
        debounce=SETTLE_MS,
        stop_event=stop,
        rust_timeout=RETRY_SECONDS * 1000,
        yield_on_timeout=True,
    )
    for changed in changes:
        if not changed and not behind:
            continue
        try:
            report = ingest()
            behind = told = False
        except RagDollyError as error:
            if not told:
                on_error(error)
            behind = told = True
        else:
            yield report
