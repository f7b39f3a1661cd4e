"""What test PDFs are drawn with, and one written by hand."""


def lines(*texts: str, top: float = 750, left: float = 72, step: float = 14, size: float = 12):
    """Return a function that draws lines of text, "" being a gap."""

    def draw(canvas):
        canvas.setFont("Helvetica", size)
        for number, text in enumerate(texts):
            canvas.drawString(left, top - number * step, text)

    return draw


def outline(canvas, *entries):
    """Add bookmarks, pairs of title and level from 0, that lead to the page being drawn."""
    for number, (title, level) in enumerate(entries):
        key = f"{canvas.getPageNumber()}.{number}"
        canvas.bookmarkPage(key)
        canvas.addOutlineEntry(title, key, level)


def raw_pdf(mapping: dict[int, str], shown: bytes = b"ABCA", count: int = 1) -> bytes:
    """Write a PDF by hand whose font maps glyphs to any characters, and whose page count may lie."""
    chars = "".join(
        f"<{code:02x}> <{text.encode('utf-16-be', 'surrogatepass').hex()}>\n" for code, text in mapping.items()
    )
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def "
        f"1 begincodespacerange <00> <ff> endcodespacerange {len(mapping)} beginbfchar\n"
        f"{chars}endbfchar endcmap end end"
    ).encode()
    content = b"BT /F1 24 Tf 50 100 Td (%s) Tj 0 -30 Td (second) Tj ET" % shown
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count %d>>" % count,
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(cmap), cmap),
    ]
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = b"trailer<</Size 7/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(out)
    return out + b"xref\n0 7\n0000000000 65535 f \n" + table + end
