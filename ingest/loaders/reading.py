"""What a loader is told besides the bytes: passwords to try, and how deep a file lies inside another."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

MAX_DEPTH = 3
"""An attachment of a mail attached to a mail is at depth 2; nothing deeper than this is opened."""


@dataclass(frozen=True, slots=True)
class Reading:
    """`passwords` are tried in turn on an encrypted file, after the empty one; `depth` is 0 for a file on disk.

    `tick` is called after each long step that went well (a page of OCR), so that slow is not taken for stuck.
    """

    passwords: tuple[str, ...] = ()
    depth: int = 0
    tick: Callable[[], None] = field(default=lambda: None, compare=False)

    def deeper(self) -> "Reading":
        """Return what to tell the loader of a file that lies in this one."""
        return replace(self, depth=self.depth + 1)
