"""A small valid file of every kind, made on the spot: where attacks on the loaders begin."""

import io
import json
import struct
import zipfile
from email.message import EmailMessage
from functools import cache

import docx
import pptx
from ole_file import make_ole
from reportlab.pdfgen.canvas import Canvas

from ingest.loaders.kinds import KINDS

_ODF = "urn:oasis:names:tc:opendocument:xmlns:"
_OFFICE = "http://schemas.openxmlformats.org/"
_TEXTS = {
    "text": "A Title\n=======\n\nSome words — über alles.\n\nMore words.\n",
    "markdown": "# Head\n\nWords *here*.\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```\n",
    "rst": "Head\n====\n\nWords.\n\n- one\n- two\n\n.. code:: python\n\n   x = 1\n\n"
    "=== ===\na   b\n=== ===\n1   2\n=== ===\n",
    "org": "#+TITLE: A title\n* Head\nWords.\n- one\n- two\n| a | b |\n|---+---|\n| 1 | 2 |\n"
    "#+BEGIN_SRC c\nint x;\n#+END_SRC\n",
    "adoc": "= Title\n\n== Head\n\nWords.\n\n* one\n* two\n\n|===\n|a |b\n|1 |2\n|===\n\n----\ncode\n----\n",
    "html": "<!DOCTYPE html><title>T</title><h1>Head</h1><p>Words.<ul><li>one<li>two</ul><table><tr><td>1<td>2</table>",
    "xml": '<?xml version="1.0"?><feed><title>News</title><entry id="1"><title>One</title><p>Words.</p></entry></feed>',
    "rtf": r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}{\b Head}\par Words \u252?ber \'e4lles.\par\trowd\cell 1\cell 2\row}",
    "csv": 'name,amount,when\nAnna,1.5,2024-01-02\nBert,"2,5",2024-02-03\n"Line\nbreak",3,2024-03-04\n',
    "json": '{"title": "T", "items": [{"name": "Anna", "n": 1.5}, {"name": "B\\u00e9la", "n": null}], "ok": true}',
    "jsonl": '{"name": "Anna", "n": 1}\n{"name": "Bert", "n": 2, "more": ["a", {"b": "c"}]}\n',
    "code": '"""Doc."""\nimport os\n\n\n@deco\ndef f(x: int) -> str:\n    # why\n    return "é" * x\n\n\n'
    "class A:\n    def g(self): ...\n",
    "mbox": "From a@b.c Mon Jan  1 00:00:00 2024\nFrom: a@b.c\nSubject: One\n\nWords.\n\n"
    "From d@e.f Mon Jan  1 00:00:00 2024\nFrom: d@e.f\nSubject: =?utf-8?q?Zw=C3=B6lf?=\n\n>From here on\n",
}


@cache
def seeds() -> dict[str, tuple[str, bytes]]:
    """Return kind -> (a name of that kind, its bytes), for all kinds that can be read."""
    built = {kind: text.encode() for kind, text in _TEXTS.items()}
    built |= {"pdf": _pdf(), "docx": _docx(), "pptx": _pptx(), "xlsx": _xlsx(), "xls": _xls(), "ipynb": _ipynb()}
    built |= {kind: _odf(kind) for kind in ("odt", "ods", "odp")}
    built |= {"epub": _epub(), "eml": _eml(), "msg": _msg()}
    return {name: (f"seed{kind.suffixes.split()[0]}", built[name]) for name, kind in KINDS.items() if kind.module}


def make_zip(parts: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip archive with the given parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()


def _pdf() -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pageCompression=0, invariant=True)
    canvas.drawString(72, 700, "A page of words.")
    canvas.showPage()
    canvas.drawString(72, 700, "Another page.")
    canvas.save()
    return buffer.getvalue()


def _docx() -> bytes:
    document = docx.Document()
    document.add_heading("Head", 1)
    document.add_paragraph("Words.")
    document.add_paragraph("item", style="List Bullet")
    document.add_table(2, 2).cell(1, 1).text = "cell"
    return _saved(document)


def _pptx() -> bytes:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Head"
    slide.placeholders[1].text = "one\ntwo"
    slide.shapes.add_table(2, 2, 0, 0, 100, 100).table.cell(1, 1).text = "cell"
    slide.notes_slide.notes_text_frame.text = "Notes."
    return _saved(deck)


def _saved(document: object) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _xlsx() -> bytes:
    types = (
        f'<Types xmlns="{_OFFICE}package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/>'
    )
    relation = f'<Relationships xmlns="{_OFFICE}package/2006/relationships"><Relationship Id="r1" Type="{_OFFICE}'
    main = f'xmlns="{_OFFICE}spreadsheetml/2006/main"'
    row = '<row r="{0}"><c r="A{0}" t="inlineStr"><is><t>{1}</t></is></c><c r="B{0}"><v>{0}</v></c></row>'
    rows = "".join(row.format(number, name) for number, name in enumerate(("Name", "Anna", "Bert"), 1))
    return make_zip(
        {
            "[Content_Types].xml": f"{types}</Types>",
            "_rels/.rels": f'{relation}officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/>'
            "</Relationships>",
            "xl/workbook.xml": f'<workbook {main} xmlns:r="{_OFFICE}officeDocument/2006/relationships"><sheets>'
            '<sheet name="Orders" sheetId="1" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'{relation}officeDocument/2006/relationships/worksheet" '
            'Target="worksheets/sheet1.xml"/></Relationships>',
            "xl/worksheets/sheet1.xml": f"<worksheet {main}><sheetData>{rows}</sheetData></worksheet>",
        }
    )


def _xls() -> bytes:
    """Return a workbook in BIFF8 with one sheet of two columns."""

    def record(number: int, body: bytes) -> bytes:
        return struct.pack("<HH", number, len(body)) + body

    def label(row: int, text: str) -> bytes:
        return record(0x204, struct.pack("<4HB", row, 0, 0, len(text), 0) + text.encode("latin-1"))

    def start(kind: int) -> bytes:
        return record(0x809, struct.pack("<4HII", 0x600, kind, 0, 0, 0, 0))

    def globals_(at: int) -> bytes:
        return start(5) + record(0x85, struct.pack("<IBBBB", at, 0, 0, 6, 0) + b"Orders") + record(0x0A, b"")

    sheet = start(0x10) + record(0x200, struct.pack("<2I3H", 0, 3, 0, 2, 0))
    for row, name in enumerate(("Name", "Anna", "Bert")):
        sheet += label(row, name) + record(0x203, struct.pack("<3Hd", row, 1, 0, row + 0.5))
    return make_ole({"Workbook": globals_(len(globals_(0))) + sheet + record(0x0A, b"")})


def _odf(kind: str) -> bytes:
    root = {"odt": "text", "ods": "spreadsheet", "odp": "presentation"}[kind]
    names = "".join(f' xmlns:{prefix}="{_ODF}{prefix}:1.0"' for prefix in ("office", "text", "table", "drawing"))
    cells = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{word}</text:p></table:table-cell>' for word in "ab"
    )
    table = f'<table:table table:name="Orders"><table:table-row>{cells}</table:table-row></table:table>'
    page = '<drawing:page drawing:name="one"><drawing:frame><drawing:text-box><text:p>Words.</text:p>'
    body = {
        "odt": f'<text:h text:outline-level="1">Head</text:h><text:p>Words.</text:p>{table}',
        "ods": table,
        "odp": f"{page}</drawing:text-box></drawing:frame></drawing:page>",
    }[kind]
    content = f"<office:document-content{names}><office:body><office:{root}>{body}</office:{root}></office:body>"
    manifest = f'<m:manifest xmlns:m="{_ODF}manifest:1.0"/>'
    return make_zip(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{root}",
            "META-INF/manifest.xml": manifest,
            "content.xml": f"{content}</office:document-content>",
        }
    )


def _epub() -> bytes:
    page = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>T</title></head><body><h1>One</h1><p>Words.</p>'
    return make_zip(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="c.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
            "c.opf": '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata '
            'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Book</dc:title></metadata><manifest>'
            '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/>'
            "</spine></package>",
            "a.xhtml": f"{page}</body></html>",
        }
    )


def _ipynb() -> bytes:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Head\n", "Words."]},
        {
            "cell_type": "code",
            "metadata": {},
            "source": "print(1)",
            "execution_count": 1,
            "outputs": [{"output_type": "stream", "name": "stdout", "text": ["1\n"]}],
        },
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


def _eml() -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Anna <a@b.c>", "d@e.f", "Grüße"
    message["Date"] = "Mon, 01 Jan 2024 10:00:00 +0000"
    message.set_content("Words — here.\n")
    message.add_alternative("<p>Words — here.</p>", subtype="html")
    message.add_attachment("a,b\n1,2\n3,4\n", subtype="csv", filename="table.csv")
    return bytes(message)


def _msg() -> bytes:
    words = {"0037": "Subject", "1000": "Words in the body.", "0C1A": "Anna", "0E04": "Bert", "001A": "IPM.Note"}
    streams = {f"__substg1.0_{tag}001F": text.encode("utf-16-le") for tag, text in words.items()}
    properties = bytes(32) + b"".join(
        struct.pack("<HHIII", 0x1F, int(tag, 16), 6, len(text) * 2 + 2, 0) for tag, text in words.items()
    )
    return make_ole({**streams, "__properties_version1.0": properties})
