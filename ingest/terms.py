"""What the keyword search keeps of a passage: each distinct term as a number, and how often it stands there.

A term is kept as the CRC-32 of its UTF-8 bytes. So there is no dictionary that could still hold the words of a
document that was forgotten, and a passage's terms are stored with it in one transaction. Two terms of the same number
are taken for one: of a million distinct terms about one in ten thousand shares its number with another.

A packed passage is a run of records of 6 bytes, by rising number: the term, its count in the text, and its count in
the title and headings above the text; counts end at 255. The words of the document's name are there with two counts
of 0: they are found, and weigh nothing.
"""

import struct
import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ingest import keyword
from ingest.names import name_terms

RECORD = np.dtype([("term", "<u4"), ("body", "u1"), ("head", "u1")])
_PACK = struct.Struct("<IBB").pack
MADE_WITH = f"keyword {keyword.VERSION}, terms 2"
"""What made the packed terms of an index; those of another are made anew by the next run that writes."""
_SAMPLE = 20_000
"""Characters of a document that its language is told from."""


def number(term: str) -> int:
    """Return the number that stands for a term."""
    return zlib.crc32(term.encode("utf-8", "surrogatepass"))


def language(text: str) -> str:
    """Return the language of a document ("en", "de"), "" where none can be told."""
    return keyword.language_of(text[:_SAMPLE])


def pack(source: str, title: str, headings: Sequence[str], text: str, language: str) -> bytes:
    """Return the terms of a passage as they are stored."""
    counts: dict[int, list[int]] = {number(term): [0, 0] for term in name_terms(source, language)}
    for field, said in enumerate((text, "\n".join([title, *headings]))):
        for term, often in Counter(keyword.index_terms(said, language)).items():
            counts.setdefault(number(term), [0, 0])[field] += often
    return b"".join(_PACK(key, min(body, 255), min(head, 255)) for key, (body, head) in sorted(counts.items()))


def unpack(blobs: Sequence[bytes]) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    """Return the records of all passages, one after the other, and how many each passage has, shape (passages,)."""
    sizes = np.fromiter(map(len, blobs), dtype=np.int64, count=len(blobs))
    if (sizes % RECORD.itemsize).any():
        raise ValueError("terms of a size that no packed passage has")
    records: NDArray[np.void] = np.frombuffer(b"".join(blobs), dtype=RECORD)
    return records, sizes // RECORD.itemsize
