"""A few hundred damaged files; `fuzz.py` makes more of them for as long as one likes."""

import io
import zipfile

import pytest
from fuzz import attack, outcome
from seeds import make_zip, seeds

ATTACKS = 40


@pytest.mark.parametrize("kind", sorted(seeds()))
def test_damaged_files_become_a_document_or_a_reason(kind):
    outcomes = {number: outcome(*attack(kind, number)) for number in range(ATTACKS)}
    assert "document" in outcomes.values(), "the attacks on this kind never reach its loader's end"


@pytest.mark.parametrize("kind", sorted(seeds()))
def test_the_attacks_differ_from_the_seed_and_can_be_repeated(kind):
    attacks = [attack(kind, number) for number in range(ATTACKS)]
    assert attacks == [attack(kind, number) for number in range(ATTACKS)]
    assert sum(data != seeds()[kind][1] for _, data in attacks) > ATTACKS * 0.8


@pytest.mark.parametrize("victim", sorted(seeds()))
def test_every_file_under_every_name(victim):
    for name, _ in seeds().values():
        outcome(name, seeds()[victim][1])


@pytest.mark.parametrize("place", ["B4294967295", "A99999999999999999999", "XFD1048576", "XFDXFDXFD3", "b4294967295"])
def test_a_cell_that_lies_absurdly_far_away_takes_no_memory(place):
    with zipfile.ZipFile(io.BytesIO(seeds()["xlsx"][1])) as archive:
        parts = {name: archive.read(name).replace(b'"B3"', f'"{place}"'.encode()) for name in archive.namelist()}
    assert outcome("a.xlsx", make_zip(parts)) == "document"
