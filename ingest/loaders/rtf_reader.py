r"""RTF as a stream of control words to paragraphs, rows of tables, notes and running heads.

Characters come as bytes in the code page of the current font (its charset, else `\ansicpg`), as `\'hh`, or as
`\uN` with a stand-in for old programs, which is skipped. Groups are kept on a list, so depth costs nothing, and
each byte is looked at once. Text that is hidden or deleted, and every destination that is not known to hold text, is
left out.
"""

import copy
import re

from ingest.errors import UnreadableFile
from ingest.loaders.rtf_body import Body, Sink, State, whole
from ingest.loaders.rtf_codes import CHARACTERS, CHARSETS, DROPPED, OPEN_STARS, SETS, SINKS, SYMBOLS

_TOKEN = re.compile(
    r"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|[\r\n\0]+|([^\\{}\r\n\0]+)|\\\Z", re.S
)
_DEEPEST = 10_000
_LEAST_PICTURE = 1701
"""Pictures with a side shorter than this (3 cm in twips) are taken for ornaments."""


class Reader:
    """Reads one file; afterwards the public attributes hold what it says.

    Raises `UnreadableFile` if its groups are nested absurdly deep.
    """

    def __init__(self, data: bytes) -> None:
        self.body = Body()
        self.comments: list[str] = []
        self.running: dict[str, None] = {}
        self.title = ""
        self.pictures = self.objects = 0
        self.is_cut = False
        self._text = Sink("body")
        self._text.parts = self.body.parts
        self._nowhere = Sink("")
        self._state = State(self._text)
        self._stack: list[State] = []
        self._bytes = bytearray()
        self._page = "cp1252"
        self._fonts: dict[int, str] = {}
        self._charsets: set[int] = set()
        self._default_font = self._font = -1
        self._levels: dict[int, int] = {}
        self._author = ""
        self._starred = self._skips_result = False
        self._skip = self._width = 0
        self._read(data.decode("latin-1"))

    def _read(self, text: str) -> None:
        at = 0
        while match := _TOKEN.match(text, at):
            at = match.end()
            word, number, hexed, symbol, brace, run = match.groups()
            if brace:
                self._decode()
                self._skip = 0
                if brace == "{":
                    self._open()
                elif not self._close():
                    break
            elif run is not None:
                skipped = min(self._skip, len(run))
                self._skip -= skipped
                self._bytes += run[skipped:].encode("latin-1")
            elif hexed:
                self._hexed(int(hexed, 16))
            elif symbol:
                self._symbol(symbol)
            elif word == "bin":
                at += max(0, int(number or 0))
            elif word:
                self._word(word, None if number is None else int(number))
        self._decode()
        self.is_cut = bool(self._stack)
        self._end_paragraph()
        self.body.end_row()

    def _open(self) -> None:
        if len(self._stack) >= _DEEPEST:
            raise UnreadableFile(f"broken: expected RTF nested less than {_DEEPEST} groups deep, found more")
        self._stack.append(self._state)
        self._state = copy.copy(self._state)
        if self._state.sink.kind == "styles":
            self._state.sink = Sink("style")

    def _close(self) -> bool:
        """End a group; return whether there is more to come."""
        if not self._stack:
            return False
        ended, self._state = self._state, self._stack.pop()
        if ended.sink is not self._state.sink:
            self._empty(ended.sink, ended)
        return bool(self._stack)

    def _decode(self) -> None:
        """Turn the bytes that have come into text of the current sink."""
        if not self._bytes:
            return
        page = self._fonts.get(self._state.font if self._state.font >= 0 else self._default_font, "")
        if page == "cp1252" and len(self._charsets) == 1:
            page = ""  # all fonts Western: only the declared code page tells
        try:
            text = self._bytes.decode(page or self._page, "replace")
        except LookupError:
            text = self._bytes.decode("cp1252", "replace")
        self._bytes.clear()
        self._say(text)

    def _say(self, text: str) -> None:
        state = self._state
        if state.sink.kind and not state.is_hidden and not state.is_deleted:
            state.sink.parts.append(text)

    def _hexed(self, byte: int) -> None:
        if self._skip:
            self._skip -= 1
        else:
            self._bytes.append(byte)

    def _symbol(self, symbol: str) -> None:
        self._skip = 0
        if symbol in "{}\\":  # which may be the second half of an East Asian character
            self._bytes += symbol.encode()
            return
        self._decode()
        if symbol == "*":
            self._starred = True
        elif symbol in "\r\n":
            self._break()
        else:
            self._say(SYMBOLS.get(symbol, ""))

    def _word(self, word: str, number: int | None) -> None:
        self._decode()
        self._skip = 0
        starred, self._starred = self._starred, False
        if word == "u":
            code = (number or 0) % 0x10000 if (number or 0) < 0 else number or 0
            self._say(chr(code) if code <= 0x10FFFF else "\ufffd")
            self._skip = self._state.unicode_skip
        elif word in CHARACTERS:
            self._say(CHARACTERS[word])
        elif word in SINKS or word in DROPPED or starred:
            self._enter(word, starred)
        elif word in ("par", "sect"):
            self._break()
        elif handler := getattr(self, f"_on_{word}", None):
            handler(1 if number is None else number)
        elif word in SETS:
            self._page = SETS[word]

    def _enter(self, word: str, starred: bool) -> None:
        """Begin a destination."""
        state, kind = self._state, SINKS.get(word, "")
        self.objects += word == "objdata"
        if kind == "field":
            self._skips_result = False
        if state.sink.kind in ("", "style") or (kind == "title" and state.sink.kind != "info"):
            state.sink = self._nowhere
        elif kind:
            state.sink = Sink(kind)
        elif word not in OPEN_STARS:
            state.sink = self._nowhere

    def _empty(self, sink: Sink, state: State) -> None:
        """Put what a sink has gathered where it belongs."""
        text = whole("".join(sink.parts))
        line = " ".join(text.split())
        if sink.kind == "note" and line:
            self.body.aside.append(f"{'Endnote' if sink.is_endnote else 'Footnote'}: {line}")
        elif sink.kind == "box" and line:
            self.body.aside.append(text)
        elif sink.kind == "comment" and line:
            self.comments.append(f"{self._author}: {line}" if self._author else line)
        elif sink.kind == "head":
            if any(map(str.isalpha, line)) and not (sink.counts_pages and len(line.split()) < 3):
                self.running.setdefault(line)
        elif sink.kind == "style" and (match := re.match(r"heading ([1-9])\b", line, re.I)):
            self._levels[state.style] = int(match[1])
        elif sink.kind == "marker":
            self.body.marker = line if any(map(str.isalnum, line)) else "-"
        elif sink.kind == "field" and line.split(" ")[0] in ("PAGE", "NUMPAGES"):
            self._skips_result = self._state.sink.counts_pages = True
        elif sink.kind in ("title", "author"):
            setattr(self, "title" if sink.kind == "title" else "_author", line)

    def _break(self) -> None:
        """End a paragraph."""
        if self._state.sink is not self._text or self._state.in_table:
            self._say("\n")
        else:
            self._end_paragraph()

    def _end_paragraph(self) -> None:
        state = self._state
        self.body.end_paragraph(state.outline or self._levels.get(state.style, 0), state.depth)

    def _on_cell(self, _: int) -> None:
        if self._state.sink is self._text:
            self.body.end_cell()
        else:
            self._say(" ")

    def _on_row(self, _: int) -> None:
        if self._state.sink is self._text:
            self.body.end_row()

    def _on_trowd(self, _: int) -> None:
        self.body.define_row()

    def _on_clvmrg(self, _: int) -> None:
        self.body.define_going_on()

    def _on_cellx(self, _: int) -> None:
        self.body.define_cell()

    def _on_trhdr(self, _: int) -> None:
        self.body.define_header()

    def _on_pard(self, _: int) -> None:
        self._state.plain_paragraph()

    def _on_plain(self, _: int) -> None:
        self._state.is_hidden = self._state.is_deleted = False
        self._state.font = -1

    def _on_intbl(self, _: int) -> None:
        self._state.in_table = True

    def _on_outlinelevel(self, number: int) -> None:
        self._state.outline = number + 1 if 0 <= number < 9 else 0

    def _on_s(self, number: int) -> None:
        self._state.style = number

    def _on_ilvl(self, number: int) -> None:
        self._state.depth = max(0, number)

    def _on_v(self, number: int) -> None:
        self._state.is_hidden = bool(number)

    def _on_deleted(self, number: int) -> None:
        self._state.is_deleted = bool(number)

    def _on_uc(self, number: int) -> None:
        self._state.unicode_skip = max(0, number)

    def _on_ansicpg(self, number: int) -> None:
        self._page = "utf-8" if number == 65001 else f"cp{number}"

    def _on_deff(self, number: int) -> None:
        self._default_font = number

    def _on_f(self, number: int) -> None:
        self._state.font = self._font = number

    def _on_fcharset(self, number: int) -> None:
        if self._state.sink.kind == "fonts":
            self._charsets.add(number)
            self._fonts.setdefault(self._font, CHARSETS.get(number, ""))

    def _on_ftnalt(self, _: int) -> None:
        self._state.sink.is_endnote = True

    def _on_fldrslt(self, _: int) -> None:
        if self._skips_result:
            self._state.sink = self._nowhere
        self._skips_result = False

    def _on_picwgoal(self, number: int) -> None:
        self._width = number

    def _on_pichgoal(self, number: int) -> None:
        self.pictures += min(number, self._width) >= _LEAST_PICTURE
