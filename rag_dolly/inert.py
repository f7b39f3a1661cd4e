"""Text of documents and models as it may be shown: it draws nothing, fetches nothing and forges no citation.

`visible` is for a place that shows a text as it stands (terminal, page); `answer_line` makes of a sentence the line
that an answer holds, which others may render as Markdown; `without_markers` takes away what a model wrote as citations.

Limits: a bare address stays text, which a viewer may make a link of its own, to be followed by hand. Marks that scripts
need (zero-width joiner and non-joiner, the emoji selector) stay. A page must escape what it shows all the same, as
`rag_dolly.app.markup` does.
"""

import re

# Control characters but tab and line feed; bidirectional marks and overrides; characters of no width and no use to a
# reader; variation selectors but the emoji one; tag characters.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180b-\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0e\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e01ef]"
)
_QUOTE_MARK = re.compile(r"^\s*(?:>(?:[ \t]+|$))+")
_LIST_MARK = re.compile(r"^(?:[-*+•]|>(?!\s*[-+$€£]?[\d.])|\d+[.)])\s+")
# Comments, closing tags, tags with attributes, common inline tags; "Vec<i32>" and "x < y" are text.
_TAG = re.compile(
    r"<!--.*?(?:-->|$)|</[A-Za-z]\w*>|<[A-Za-z]\w*\s+[\w-]+=[^<>]*>|<(?:b|i|u|em|strong|code|kbd|span|p|br)\s*/?>"
)
_LIVE = re.compile(
    r"<(?=/?(?:script|iframe|img|svg)\b|[!?][A-Za-z]|[A-Za-z][\w:-]*[\s/]+[\w:-]+\s*=|"
    r"(?<!\w<)(?:style|object|embed|video|audio|math|link|meta|base|form|body|details|template|input|button)\s*/?>)",
    re.IGNORECASE,
)
_IMAGE = re.compile(r"!\[([^\[\]]*)\](?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\[\]]*\])")
_LINK = re.compile(r"\[([^\[\]]+)\]\(\s*<?([^()<>\s]*(?:\([^()\s]*\)[^()<>\s]*)*)>?[^()]*\)")
_AUTOLINK = re.compile(r"<((?:https?|ftp|mailto|javascript|data|vbscript|file):[^<>\s]*)>", re.IGNORECASE)
_SAFE = re.compile(r"(?:https?:|ftp:|mailto:|[^:]*$)", re.IGNORECASE)
_MARKER = re.compile(r"\[(?=\d{1,3}\])")
_WRITTEN_MARKER = re.compile(r"\s*(?<![\w\])])\[\d{1,3}(?:\s*[,;]\s*\d{1,3})*\](?!\w)")


def visible(text: str) -> str:
    """Return a text without control characters, bidirectional controls and characters that nobody sees."""
    return _UNSEEN.sub("", text)


def answer_line(sentence: str, before: str = "") -> str:
    """Return a sentence as it reads in an answer: on one line, nothing in it live.

    `before` is what stands before it on its first line in the document, which tells quoted lines from "a > b". HTML
    tags, the mark of a list item, those of quoted lines and invisible characters are left out; a picture becomes its
    words, a link its words and address. What would pass for a citation, or still for a tag, gets a space: "[ 3]",
    "< script>".
    """
    line = _TAG.sub("", visible(" ".join(_unquoted(sentence, before).split())))
    line = _AUTOLINK.sub(r"\1", _LINK.sub(_told, _IMAGE.sub(lambda found: found[1], line)))
    line = _LIVE.sub("< ", line).replace("![", "! [").replace("](", "] (")
    line = _MARKER.sub("[ ", _LIST_MARK.sub("", " ".join(line.split())))
    return line or "…"


def without_markers(sentence: str) -> str:
    """Return a sentence that a model wrote without the citation markers in it; brackets after a word ("a[1]") stay."""
    return _WRITTEN_MARKER.sub("", sentence).strip()


def line_before(text: str, place: int) -> str:
    """Return what stands before a place on its line."""
    return text[text.rfind("\n", 0, place) + 1 : place]


def _unquoted(sentence: str, before: str) -> str:
    """Return a sentence without the ">" of its lines, if each of them has one, as in Markdown and mail."""
    first, *others = sentence.splitlines() or [""]
    if not _QUOTE_MARK.match(before + first) or not all(_QUOTE_MARK.match(line) for line in others):
        return sentence
    return "\n".join([first, *(_QUOTE_MARK.sub("", line) for line in others)])


def _told(link: re.Match[str]) -> str:
    """Return a Markdown link as words; an address that is none, or would run something, is left out."""
    words, address = link[1], link[2]
    return f"{words} ({address})" if _SAFE.match(address) and address not in ("", words) else words
