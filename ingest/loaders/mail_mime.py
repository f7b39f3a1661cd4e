"""A message in the format of the Internet (RFC 5322, MIME) to a `Mail`, broken MIME as far as it can be understood.

Of texts that say the same, the plain one is taken, unless it is only a hint to read the HTML. Encrypted parts are
named as problems; signatures have no text and are passed over.
"""

import base64
import re
from email import message_from_bytes
from email.message import Message
from pathlib import PurePosixPath

from ingest.errors import UnreadableFile
from ingest.loaders.encoding import clean
from ingest.loaders.mail_headers import charset, fields, header, text_of, words
from ingest.loaders.mail_parts import Attached, Mail

_IGNORED = (
    "application/pgp-signature",
    "application/pkcs7-signature",
    "application/x-pkcs7-signature",
    "text/x-amp-html",
    "text/watch-html",
)
"""Signatures, and second versions of the text."""
_MAILS = ("message/rfc822", "message/global", "message/news")
_PROBLEMS = {
    "application/pkcs7-mime": "signed or encrypted with S/MIME, not read",
    "application/x-pkcs7-mime": "signed or encrypted with S/MIME, not read",
    "application/pgp-encrypted": "encrypted with PGP, not read",
    "application/ms-tnef": "Outlook's own format (TNEF), not read: ask for the files themselves",
    "application/vnd.ms-tnef": "Outlook's own format (TNEF), not read: ask for the files themselves",
    "message/external-body": "not in the message, which only says where it lies",
    "message/partial": "a fragment of a message, not read",
}
_KNOWN = (
    "from",
    "to",
    "subject",
    "date",
    "received",
    "message-id",
    "content-type",
    "mime-version",
    "sender",
    "return-path",
)
_STUB = 5
"""A plain text with so many times fewer words than the HTML beside it only says to read the HTML."""
_SAMPLE = 20_000
_TAG = re.compile(r"<(?:style|script)\b.*?</|<[^>]*>", re.DOTALL | re.IGNORECASE)


def parse(data: bytes) -> Mail:
    """Return the message in `data`. Raises `UnreadableFile` if it is none."""
    try:
        return _mail(message_from_bytes(data.lstrip(b"\xef\xbb\xbf\r\n\t ")))
    except UnreadableFile:
        raise
    except Exception as error:  # the parser recurses, and trips over headers that nobody foresaw
        found = " ".join(str(error).split())[:200]
        raise UnreadableFile(f"broken: expected a mail, found: {type(error).__name__}: {found}") from error


def _mail(message: Message) -> Mail:
    if not any(name in message for name in _KNOWN):
        raise UnreadableFile("broken: expected a mail, found no headers of one")
    mail = Mail(header(message, "Subject"), fields(message))
    waiting = [(message, False)]
    while waiting:
        part, related = waiting.pop()
        media_type = "".join(part.get_content_type().split())
        if media_type == "multipart/alternative" and part.is_multipart():
            waiting += reversed(_chosen(part, related))
        elif media_type == "multipart/encrypted":
            mail.problems.append("the message is encrypted, its text was not read")
        elif media_type.startswith("multipart/") and part.is_multipart():
            inside = related or media_type == "multipart/related"
            waiting += [(child, inside) for child in reversed(_children(part))]
        elif media_type not in _IGNORED:
            _leaf(part, media_type, related, mail)
    return mail


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []


def _chosen(part: Message, related: bool) -> list[tuple[Message, bool]]:
    """Return the version of a text to read and what else is among its versions that is no text, with `related`."""
    children = _children(part)
    plain = next((child for child in children if child.get_content_type() == "text/plain"), None)
    rich = [child for child in children if child is not plain and any(map(_is_html, child.walk()))]
    others = [(child, related) for child in children if child is not plain and child not in rich]
    if plain is None or (rich and _is_stub(plain, rich[-1])):
        return [*((child, related) for child in rich[-1:]), *others]
    files = [leaf for child in rich[-1:] for leaf in child.walk() if not leaf.is_multipart() and not _is_html(leaf)]
    return [(plain, related), *((leaf, True) for leaf in files), *others]


def _is_html(part: Message) -> bool:
    return part.get_content_type() == "text/html"


def _is_stub(plain: Message, rich: Message) -> bool:
    count = _count_words(plain)
    return count == 0 or any(_count_words(leaf) > _STUB * count + 20 for leaf in rich.walk() if _is_html(leaf))


def _count_words(part: Message) -> int:
    try:
        return len(_TAG.sub(" ", _text(part)[:_SAMPLE]).split())
    except UnreadableFile:
        return 0


def _leaf(part: Message, media_type: str, related: bool, mail: Mail) -> None:
    """Put a part that is no container into `mail`: as text if it is shown so, else as a file."""
    name = _name(part)
    shown = part.get_content_disposition() != "attachment"
    if media_type in _MAILS and part.is_multipart():
        mail.attached += (_inner(name, part, child) for child in _children(part))
    elif media_type.startswith("message/") and media_type not in _PROBLEMS:
        mail.texts.append((False, "\n".join(clean(str(child)) for child in _children(part)) or _text(part)))
    elif media_type.startswith("multipart/") or (media_type in ("text/plain", "text/html") and not name and shown):
        try:
            mail.texts.append((media_type == "text/html", _text(part)))
        except UnreadableFile as error:
            mail.problems.append(f"a text of the message: {error}")
    else:
        inline = part.get_content_disposition() == "inline" or ("content-id" in part and (related or shown))
        mail.attached.append(Attached(name, media_type, _decoded(part), None, inline, _problem(name, media_type)))


def _inner(name: str, part: Message, message: Message) -> Attached:
    """Return a message that lies in another."""
    try:
        return Attached(name, "message/rfc822", mail=_mail(message))
    except UnreadableFile as error:
        if part.get("content-transfer-encoding", "").lower().strip() == "base64":
            return Attached(name, "message/rfc822", _base64(message))
        return Attached(name, "message/rfc822", problem=str(error))


def _base64(message: Message) -> bytes:
    try:
        return base64.b64decode(str(message.get_payload()))
    except ValueError:
        return b""


def _problem(name: str, media_type: str) -> str:
    return _PROBLEMS["application/ms-tnef"] if name.lower() == "winmail.dat" else _PROBLEMS.get(media_type, "")


def _name(part: Message) -> str:
    """Return the name of a file, without folders, in one line."""
    try:
        name = words(part.get_filename() or "")
    except (ValueError, LookupError, TypeError):
        name = ""
    return PurePosixPath(name.replace("\\", "/")).name[-150:]


def _decoded(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _text(part: Message) -> str:
    """Return a part as text. Raises `UnreadableFile` if it is binary."""
    try:
        declared = charset(part.get_content_charset())
    except (ValueError, LookupError, TypeError):
        declared = None
    return text_of(_decoded(part), declared)
