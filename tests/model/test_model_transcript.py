"""Text is released as soon as it is certain, and never anything that is not."""

from hypothesis import given
from hypothesis import strategies as st

from rag_dolly.generate.transcript import Transcript

END = 256


def decode(ids: list[int]) -> str:
    """A tokenizer with one token a byte."""
    return bytes(ids).decode("utf-8", "replace")


def run(ids: list[int], stop_texts: tuple[str, ...] = ()) -> list[str]:
    transcript = Transcript(decode, {END}, stop_texts)
    pieces = [transcript.push(i) for i in ids]
    return [*pieces, transcript.close()]


def test_each_character_comes_with_its_last_byte():
    pieces = run(list("aé日😀".encode()))
    assert pieces == ["a", "", "é", "", "", "日", "", "", "", "😀", ""]


def test_character_cut_off_by_the_end_is_dropped():
    assert "".join(run(list("a😀".encode())[:-1])) == "a"


def test_white_space_waits_for_what_follows_and_ends_are_stripped():
    assert run(list(b" \na b\n\n")) == ["", "", "a", "", " b", "", "", ""]


def test_end_id_ends_the_answer_and_nothing_comes_after():
    assert "".join(run([*b"ab", END, *b"cd"])) == "ab"


def test_beginning_of_a_stop_text_is_held_back_until_it_is_none():
    pieces = run(list(b"a ### Eve"), ("### End",))
    assert pieces == ["a", "", "", "", "", "", "", " ### Ev", "e", ""]


def test_stop_text_is_never_shown():
    assert "".join(run(list(b"a\n\n### End b"), ("### End",))) == "a"


def test_answer_ending_in_the_beginning_of_a_stop_text_is_whole():
    assert "".join(run(list(b"C #"), ("### End",))) == "C #"


@given(st.lists(st.integers(0, 255), max_size=40))
def test_released_pieces_join_to_the_decoded_whole(ids):
    assert "".join(run(ids)) == decode(ids).replace("\ufffd", "").strip()


@given(st.text(max_size=30), st.text(max_size=10))
def test_text_before_a_stop_text_comes_whole_and_nothing_after(before, after):
    answer = "".join(run(list(f"{before}### End{after}".encode()), ("### End",)))
    assert answer == before.split("### End")[0].replace("\ufffd", "").strip()
