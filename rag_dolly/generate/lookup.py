"""Guessing the next tokens from the text itself: Prompt Lookup Decoding (Saxena, 2023).

An answer from documents repeats them word for word here and there. When the last three (else two) tokens stood in the
text before, what followed them then is proposed now; the model checks all proposed tokens in one pass. A guess never
changes the answer, only how many passes it takes. No model, no hardware: lists and dictionaries.
"""

from collections.abc import Iterable

_SIZES = (3, 2)  # tokens that must agree, the surest first
_REST = 32  # tokens decoded plainly after guesses have not paid
_NEWEST = 0.25  # weight of the newest guess in the running average


class Lookup:
    """Prompt and answer so far (`text`), with the place after each pair and triple of tokens."""

    def __init__(self, prompt: Iterable[int]) -> None:
        self.text: list[int] = []
        self._after: dict[tuple[int, ...], int] = {}
        for token in prompt:
            self.add(token)

    def add(self, token: int) -> None:
        """Append one token."""
        place = len(self.text)
        for size in _SIZES:
            if place >= size:
                self._after[tuple(self.text[place - size :])] = place
        self.text.append(token)

    def draft(self, length: int) -> list[int]:
        """Return `length` tokens that may come next, or [] if the last tokens are new.

        The latest earlier place counts. Where it is so near that the text ends first, the guess goes round: a text
        that has begun to repeat itself is proposed to go on so.
        """
        for size in _SIZES:
            place = self._after.get(tuple(self.text[-size:])) if len(self.text) >= size else None
            if place is not None:
                period = len(self.text) - place
                return [self.text[place + i % period] for i in range(length)]
        return []


class Acceptance:
    """Whether guessing pays, by a running average of tokens accepted a guess. Counts over all answers.

    `drafted` and `accepted` are tokens; `needed` is how many must be accepted on average for a guess to pay: what its
    pass costs more than a plain one, in plain ones.
    """

    def __init__(self, needed: float = 0.5) -> None:
        self.needed = needed
        self.drafted = 0
        self.accepted = 0
        self.begin()

    def begin(self) -> None:
        """A new answer: guess again, with a little credit."""
        self._average = self.needed + 1.0
        self._rest = 0

    @property
    def pays(self) -> bool:
        """Whether to guess now."""
        return self._rest == 0

    def checked(self, drafted: int, accepted: int) -> None:
        """Note a guess and how much of it was right; a poor average is followed by a rest, then by one more try."""
        self.drafted += drafted
        self.accepted += accepted
        self._average += _NEWEST * (accepted - self._average)
        if self._average < self.needed:
            self._average = self.needed
            self._rest = _REST

    def plain(self) -> None:
        """Note a token decoded without a guess."""
        self._rest = max(0, self._rest - 1)
