"""Word documents from WordprocessingML."""

import io
import zipfile

from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls


def parts(document):
    return [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks]


def rewritten(data: bytes, changes: dict[str, bytes]) -> bytes:
    """Return the archive with some members replaced."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, changes.get(name, old.read(name)))
    return buffer.getvalue()


def with_body(make_docx, xml: str) -> bytes:
    """Return a document whose body is the given WordprocessingML."""

    def fill(document):
        declared = nsdecls("w") + ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
        body = parse_xml(f"<w:body {declared}>{xml}</w:body>")
        for element in reversed(body):
            document.element.body.insert(0, element)

    return make_docx(fill)


def run(text: str) -> str:
    return f"<w:r><w:t>{text}</w:t></w:r>"


def paragraph(text: str) -> str:
    return f"<w:p>{run(text)}</w:p>"


def with_member(data: bytes, name: str, text: str) -> bytes:
    buffer = io.BytesIO(data)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


def related(make_docx, xml: str, kind: str, name: str, root: str) -> bytes:
    """Return a document with `xml` as its body, and a part that stands in a relation to it."""
    data = with_body(make_docx, xml)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        types = archive.read("[Content_Types].xml").decode()
        rels = archive.read("word/_rels/document.xml.rels").decode()
    types = types.replace("</Types>", f'<Override PartName="/word/{name}" ContentType="application/xml"/></Types>')
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    rels = rels.replace(
        "</Relationships>",
        f'<Relationship Id="rX" Type="{office}/{kind}" Target="{name}"/></Relationships>',
    )
    changes = {"[Content_Types].xml": types.encode(), "word/_rels/document.xml.rels": rels.encode()}
    return with_member(rewritten(data, changes), f"word/{name}", root)
