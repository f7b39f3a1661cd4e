"""A mailbox (mbox) to the messages in it, one at a time and in time linear in its size.

A message begins at a line "From ..." that names a time of day and has a header below it, blank line before it or
not; such lines within messages are escaped with ">", which is taken off.
"""

import re
from collections.abc import Iterator

_SEPARATOR = re.compile(rb"^From [^\n]{0,300}\d:\d\d[^\n]{0,300}\n(?=[!-9;-~]{1,100}:)", re.MULTILINE)
_FIRST = re.compile(rb"\s*From [^\n]*\n")
_ESCAPED = re.compile(rb"^>(?=>*From )", re.MULTILINE)


def split(data: bytes) -> Iterator[bytes]:
    """Yield each message as it was before it came into the mailbox, blank ones excepted."""
    first = _FIRST.match(data)
    begins = [first.end() if first else 0]
    ends: list[int] = []
    for match in _SEPARATOR.finditer(data, begins[0]):
        ends.append(match.start())
        begins.append(match.end())
    for begin, end in zip(begins, [*ends, len(data)], strict=True):
        if data[begin:end].strip():
            yield _ESCAPED.sub(b"", data[begin:end])
