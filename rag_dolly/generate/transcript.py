"""From token ids to the text that may be shown: what is certain is released, the rest is held back."""

from collections.abc import Callable, Collection, Sequence

_UNDECODED = "\ufffd"


class Transcript:
    """The text of one answer while its tokens arrive.

    Held back are: characters of which some bytes are still missing, white space at the end, and text that may be the
    beginning of a stop text. A stop id or stop text is never released and ends the answer. The released pieces
    joined are the answer: without white space at its ends, without U+FFFD for bytes that are no character.
    """

    def __init__(
        self, decode: Callable[[list[int]], str], stop_ids: Collection[int], stop_texts: Sequence[str] = ()
    ) -> None:
        self.finished = False
        self._decode = decode
        self._stop_ids = stop_ids
        self._stop_texts = stop_texts
        self._ids: list[int] = []  # since the last but one released token: context that decoders need
        self._known = 0  # how many of these are released
        self._held = ""
        self._begun = False

    def push(self, token: int) -> str:
        """Take the next token; return the text that it makes certain, often ""."""
        if self.finished:
            return ""
        if token in self._stop_ids:
            return self.close()
        self._ids.append(token)
        text = self._fresh_text()
        if text.endswith(_UNDECODED):
            return ""
        del self._ids[: self._known]
        self._known = len(self._ids)
        return self._release(text)

    def close(self) -> str:
        """End the answer; return what was still held back and is certain now."""
        if self.finished:
            return ""
        piece = self._release(self._fresh_text() if len(self._ids) > self._known else "")
        if not self.finished:
            piece += self._emit(self._held.rstrip())
        self.finished = True
        return piece

    def _fresh_text(self) -> str:
        before = self._decode(self._ids[: self._known]) if self._known else ""
        return self._decode(self._ids)[len(before) :]

    def _release(self, text: str) -> str:
        self._held += text.replace(_UNDECODED, "")
        places = [at for at in (self._held.find(stop) for stop in self._stop_texts) if at >= 0]
        if places:
            self.finished = True
            return self._emit(self._held[: min(places)].rstrip())
        certain = self._held[: len(self._held) - self._doubtful()].rstrip()
        self._held = self._held[len(certain) :]
        return self._emit(certain)

    def _doubtful(self) -> int:
        """Return how many characters at the end may be the beginning of a stop text."""
        return max(
            (n for stop in self._stop_texts for n in range(1, len(stop)) if self._held.endswith(stop[:n])), default=0
        )

    def _emit(self, text: str) -> str:
        if not self._begun:
            text = text.lstrip()
            self._begun = bool(text)
        return text
