"""What a message is made of, whatever format it came in."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Attached:
    """A file in a message: its name, "" if it has none, and its content; `mail` instead for a message in a .msg.

    `problem` says why there is no content. `inline` files are shown in the text, as logos are.
    """

    name: str
    media_type: str
    data: bytes = b""
    mail: "Mail | None" = None
    inline: bool = False
    problem: str = ""


@dataclass(slots=True)
class Mail:
    """A message: its headers worth reading, its body as texts (True: HTML) in order, and its files.

    `problems` name, one line each, what of the message itself could not be read.
    """

    subject: str = ""
    fields: list[tuple[str, str]] = field(default_factory=list)
    texts: list[tuple[bool, str]] = field(default_factory=list)
    attached: list[Attached] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
