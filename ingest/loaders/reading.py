"""What a loader is told besides the bytes: passwords to try, and how deep a file lies inside another."""

from dataclasses import dataclass, replace

MAX_DEPTH = 3
"""An attachment of a mail attached to a mail is at depth 2; nothing deeper than this is opened."""


@dataclass(frozen=True, slots=True)
class Reading:
    """`passwords` are tried in turn on an encrypted file, after the empty one; `depth` is 0 for a file on disk."""

    passwords: tuple[str, ...] = ()
    depth: int = 0

    def deeper(self) -> "Reading":
        """Return what to tell the loader of a file that lies in this one."""
        return replace(self, depth=self.depth + 1)
