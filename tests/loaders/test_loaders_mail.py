import struct
from email.message import EmailMessage

import pytest
from msg_file import binary, make_msg, numbers, text

from ingest.errors import UnreadableFile
from ingest.loaders import load
from ingest.loaders.mail_rtf import decompress

HEAD = b"From: Ann <ann@example.com>\nTo: Bob <bob@example.com>\nDate: Fri, 23 Dec 2022 12:08:48 -0600\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def blocks(document):
    return [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks]


def texts(document):
    return [document.text[b.start : b.end] for b in document.blocks]


def places(document):
    return [f"{place.inside}{place.kind} {place.number}" for place in document.places]


def message(subject="Report", body="Hello.\n", **headers):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ann@example.com", "bob@example.com", subject
    for name, value in headers.items():
        mail[name] = value
    mail.set_content(body)
    return mail


def test_a_message_has_its_subject_as_heading_and_keeps_what_it_quotes(checked):
    body = b"Subject: Plans\n\nHi Bob,\n\n> old words\n> of Bob\n\n-- \nAnn\n"
    document = checked(load("m.eml", HEAD + body))
    assert (document.kind, document.title, document.warnings) == ("eml", "Plans", ())
    assert blocks(document) == [
        ("heading", 1, "Plans"),
        (
            "text",
            0,
            "From: Ann <ann@example.com>\nTo: Bob <bob@example.com>\nDate: Fri, 23 Dec 2022 12:08:48 -0600",
        ),
        ("text", 0, "Hi Bob,"),
        ("text", 0, "> old words\n> of Bob"),
        ("text", 0, "-- \nAnn"),
    ]


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        (b"=?UTF-8?B?w7xiZXI=?= =?UTF-8?Q?_alles?=", "über alles"),
        (b"=?utf-8?B?w7w=?=\n =?utf-8?Q?_=C3?= =?utf-8?Q?=BC?= end", "ü ü end"),
        (b"=?iso-8859-1?q?Stra=DFe?= 5", "Straße 5"),
        (b"=?windows-1251?B?z/Do4uXy?=", "Привет"),
        (b"=?us-ascii?Q?Stra=C3=9Fe?=", "Straße"),
        (b"=?no-such?Q?Stra=C3=9Fe?=", "Straße"),
        (b"=?UTF-8?B?w7xiZXI?=", "über"),
        ("Grüße".encode(), "Grüße"),
        (b"=?utf-8?q?broken", "=?utf-8?q?broken"),
        (b"two\n  lines", "two lines"),
    ],
)
def test_subjects_in_any_encoding(raw, meant, checked):
    assert checked(load("m.eml", HEAD + b"Subject: " + raw + b"\n\nx\n")).title == meant


@pytest.mark.parametrize("declared", ["utf-8", "us-ascii", "iso-8859-1", "nonsense", "unicode_escape", ""])
def test_a_body_whose_charset_is_misnamed_is_read_as_what_it_is(declared, checked):
    head = HEAD + f'Subject: s\nContent-Type: text/plain; charset="{declared}"\n\n'.encode()
    document = checked(load("m.eml", head + "Größe \\ud800 und Maß, schön für alle Bürger".encode("cp1252")))
    assert texts(document)[-1] == "Größe \\ud800 und Maß, schön für alle Bürger"


def test_the_plain_version_of_a_text_is_read_unless_it_is_a_stub(checked):
    mail = message(body="Plain words.")
    mail.add_alternative("<h1>Rich</h1><p>HTML words.</p>", subtype="html")
    assert "Plain words." in texts(checked(load("m.eml", bytes(mail))))
    mail = message(body="Your program cannot show HTML.")
    mail.add_alternative("<h1>Rich</h1><p>" + "HTML words. " * 60 + "</p>", subtype="html")
    document = checked(load("m.eml", bytes(mail)))
    assert ("heading", 2, "Rich") in blocks(document)
    assert "cannot show" not in document.text


def test_attachments_stand_under_their_names_with_their_places(checked, make_pdf):
    mail = message()
    mail.add_attachment(b"a line of text", maintype="text", subtype="plain", filename="notes.txt")
    pages = [
        lambda canvas: canvas.drawString(72, 700, "First page."),
        lambda canvas: canvas.drawString(72, 700, "Two."),
    ]
    mail.add_attachment(make_pdf(*pages), maintype="application", subtype="pdf", filename="übersicht.pdf")
    mail.add_attachment(b"# Title\n\ntext\n", maintype="application", subtype="octet-stream", filename="C:\\a\\x.md")
    document = checked(load("m.eml", bytes(mail)))
    assert blocks(document)[2:] == [
        ("text", 0, "Hello."),
        ("heading", 2, "Attachment: notes.txt"),
        ("text", 0, "a line of text"),
        ("heading", 2, "Attachment: übersicht.pdf"),
        ("text", 0, "First page."),
        ("text", 0, "Two."),
        ("heading", 2, "Attachment: x.md"),
        ("heading", 3, "Title"),
        ("text", 0, "text"),
    ]
    pdf = "attachment übersicht.pdf, page"
    assert places(document) == ["attachment 1", "attachment 2", f"{pdf} 1", f"{pdf} 2", "attachment 3"]


def test_what_cannot_be_read_is_a_warning_and_pictures_in_the_text_are_not(checked):
    mail = message()
    mail.add_attachment(PNG, maintype="image", subtype="png", filename="logo.png", disposition="inline")
    mail.add_attachment(PNG, maintype="image", subtype="png", filename="photo.png")
    mail.add_attachment(b"\1\2", maintype="application", subtype="ms-tnef", filename="winmail.dat")
    mail.add_attachment(b"%PDF-1.4 broken", maintype="application", subtype="pdf", filename="bad.pdf")
    mail.add_attachment(b"x", maintype="application", subtype="x-odd", filename="odd.zzz")
    document = checked(load("m.eml", bytes(mail)))
    assert [warning.partition(":")[0] for warning in document.warnings] == [
        "attachment photo.png",
        "attachment winmail.dat",
        "attachment bad.pdf",
        "attachment odd.zzz",
    ]
    assert "TNEF" in document.warnings[1]
    assert texts(document)[-1] == "Hello."


def test_messages_in_messages_are_opened_down_to_a_depth(checked):
    inner = message(subject="Level 4", body="Deepest words.")
    for level in (3, 2, 1, 0):
        outer = message(subject=f"Level {level}", body=f"Words {level}.")
        outer.add_attachment(inner)
        inner = outer
    document = checked(load("m.eml", bytes(inner)))
    assert "Words 3." in texts(document) and "Deepest" not in document.text
    assert [block.title for block in document.blocks if block.kind == "heading"][-2:] == [
        "Attachment: message Level 3",
        "Level 3",
    ]
    assert len(document.warnings) == 1 and "message Level 4: not opened" in document.warnings[0]


def test_a_mailbox_cites_the_message_and_survives_a_broken_one(checked):
    separator = b"From ann@example.com Fri Dec 23 12:08:48 2022\n"
    with_file = message(subject="Third")
    with_file.add_attachment("a,b\n1,2\n", filename="data.txt")
    box = (
        separator + HEAD + b"Subject: First\n\nFrom now on\n>From here on\n>>From there\n\n"
        b"From me at 12:30 no header follows\n\n"
        + separator + b"X-Odd: 1\n\nno mail at all\n\n" + separator + bytes(with_file) + b"\n"
        + separator + HEAD + b"\nno subject\n"
    )  # fmt: skip
    document = checked(load("a.mbox", box))
    assert document.kind == "mbox"
    assert [b.title for b in document.blocks if b.level == 1] == ["First", "Third", "(no subject)"]
    assert "From now on\nFrom here on\n>From there" in texts(document)
    assert "From me at 12:30 no header follows" in texts(document)
    assert places(document) == ["message 1", "message 3", "message 3, attachment 1", "message 4"]
    assert document.warnings == ("message 2: broken: expected a mail, found no headers of one",)


def test_a_mailbox_of_many_messages_takes_its_time_only_once(checked):
    one = b"From a@b Fri Dec 23 12:08:48 2022\n" + HEAD + b"Subject: %d\n\nbody of %d\n\n"
    document = checked(load("a.mbox", b"".join(one % (n, n) for n in range(1, 2001))))
    assert places(document)[-1] == "message 2000"
    assert texts(document)[-1] == "body of 2000"


def test_encrypted_mail_says_so(checked):
    encrypted = b'Subject: s\nContent-Type: multipart/encrypted; boundary="b"\n\n--b\n\nVersion: 1\n--b--\n'
    assert "encrypted" in checked(load("m.eml", HEAD + encrypted)).warnings[0]


@pytest.mark.parametrize("data", [b"just some words\n\nand more", b"\x00\x01\x02" * 50, b"a: b\n\nc"])
def test_what_is_no_mail_is_refused(data):
    with pytest.raises(UnreadableFile, match="expected a mail"):
        load("m.eml", data)


def test_mime_nested_absurdly_deep_is_refused_not_fatal():
    boxes = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3000))
    for nested in (boxes, b"Content-Type: message/rfc822\n\n" * 3000):
        with pytest.raises(UnreadableFile, match="RecursionError"):
            load("m.eml", HEAD + nested)


def msg(**more):
    inner = numbers(24, {}) | text(0x0037, "Inner") | text(0x1000, "Inner words.")
    return make_msg(
        numbers(32, {0x0039: 133_000_000_000_000_000})
        | text(0x0037, "Outlook subject")
        | text(0x0C1A, "Ann")
        | text(0x5D01, "ann@example.com")
        | text(0x0E04, "Bob")
        | {
            "__attach_version1.0_#00000000": numbers(8, {})
            | text(0x3707, "notes.txt")
            | binary(0x3701, b"attached words"),
            "__attach_version1.0_#00000001": numbers(8, {}) | text(0x3001, "Inner") | {"__substg1.0_3701000D": inner},
            "__attach_version1.0_#00000002": numbers(8, {}) | text(0x3707, "link.docx"),
        }
        | more
    )


def test_an_outlook_message_with_attachments(checked):
    document = checked(load("m.msg", msg(**text(0x1000, "Plain words.\n\nMore."))))
    assert (document.kind, document.title) == ("msg", "Outlook subject")
    assert blocks(document) == [
        ("heading", 1, "Outlook subject"),
        ("text", 0, "From: Ann <ann@example.com>\nTo: Bob\nDate: 2022-06-18 04:26 UTC"),
        ("text", 0, "Plain words."),
        ("text", 0, "More."),
        ("heading", 2, "Attachment: notes.txt"),
        ("text", 0, "attached words"),
        ("heading", 2, "Attachment: Inner"),
        ("heading", 3, "Inner"),
        ("text", 0, "Inner words."),
    ]
    assert [warning.partition(":")[0] for warning in document.warnings] == ["attachment link.docx"]


def test_an_outlook_message_of_html_only(checked):
    document = checked(load("m.msg", msg(**binary(0x1013, "<p>Rich wörds.</p>".encode()))))
    assert "Rich wörds." in texts(document)


def test_a_broken_outlook_message_is_refused():
    with pytest.raises(UnreadableFile):
        load("m.msg", msg()[:2000])


def test_rtf_compressed_by_outlook():
    packed = bytes.fromhex(  # the example in MS-OXRTFCP, 4.1.1
        "2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232 0af32068656c090020627705b06c647d0a800fa0"
    )
    assert decompress(packed) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    plain = b"{\\rtf1 hello}"
    assert decompress(struct.pack("<II4sI", len(plain) + 12, len(plain), b"MELA", 0) + plain) == plain
    with pytest.raises(UnreadableFile):
        decompress(b"\0" * 40)
