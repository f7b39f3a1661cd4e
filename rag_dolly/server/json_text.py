"""JSON of foreign text that acts nowhere: not in a page that takes it for HTML, not in a terminal, not in a stream.

The text itself is unchanged: a client that reads the JSON gets it as it stands in the document, and must escape it
where it shows it. What would be markup, a control sequence, invisible or the end of a line is an escape of JSON.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

_ACTS = re.compile(
    "[<>&\x7f-\x9f\u061c\u180b-\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0e\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e01ef]"
)


def dump(value: Mapping[str, Any]) -> bytes:
    """Return an object as one line of JSON in UTF-8, without the line end."""
    return _ACTS.sub(_escaped, json.dumps(value, ensure_ascii=False, separators=(",", ":"))).encode()


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1] if found[0] > "\x7f" else f"\\u{ord(found[0]):04x}"
