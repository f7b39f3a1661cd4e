"""What a passage is indexed by must be what a question asks for."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.keyword import VERSION, index_terms, phrases, query_terms, query_words
from ingest.languages import FUNCTION_WORDS

LANGUAGES = ["", "zh", "ja", "ko", "th", *sorted(FUNCTION_WORDS)]


def found(question, text, language, weight=0.0):
    """Whether a term of the question that weighs more than `weight` is one of the text's."""
    terms = set(index_terms(text, language))
    return any(term in terms for term, value in query_terms(question, {language}) if value > weight)


@pytest.mark.parametrize(
    ("language", "question", "text"),
    [
        ("en", "lighthouse", "two lighthouses"),
        ("en", "cafe", "the cafés"),
        ("en", "keeper", "the keeper’s wife"),
        ("en", "email", "an e-mail"),
        ("en", "non-linear", "a nonlinear system"),
        ("en", "mRNA", "several mRNAs"),
        ("en", "U.S.A.", "the USA"),
        ("en", "vitamin C", "C"),
        ("de", "Haus", "die Häuser"),
        ("de", "Haeuser", "das Haus"),
        ("de", "Strasse", "die Straßen"),
        ("fr", "ecole", "l’école"),
        ("fr", "l'école", "les écoles"),
        ("es", "cancion", "canciones"),
        ("it", "arte", "dell'arte"),
        ("pt", "nação", "nações"),
        ("nl", "boek", "boeken"),
        ("sv", "hus", "husen"),
        ("fi", "talo", "talossa"),
        ("hu", "ház", "házban"),
        ("ro", "școală", "şcoala"),
        ("tr", "Ankara", "Ankara'da"),
        ("tr", "istanbul", "İSTANBUL"),
        ("ru", "елка", "ёлки"),
        ("ru", "дом", "в домах"),
        ("el", "ανθρωπος", "ο άνθρωπος"),
        ("ar", "مدرسة", "المَدْرَسَة"),
        ("fa", "کتاب", "كتاب"),
        ("hi", "लड़का", "लड़के"),
        ("zh", "蜂", "蜜蜂在冬天"),
        ("zh", "蜜蜂是什么", "蜜蜂在冬天"),
        ("ja", "緑茶はいつ?", "緑茶を淹れます"),
        ("ja", "コーヒー", "ｺｰﾋｰを飲む"),
        ("ko", "학교", "학교에서 배운다"),
        ("th", "ประภาคาร", "ผู้ดูแลประภาคารได้รับค่าจ้าง"),
        ("zh", "Ｐｙｔｈｏｎ", "用Python写的"),
        ("zh", "lighthouses", "灯塔（lighthouse）"),
        ("ru", "lighthouses", "маяк (lighthouse)"),
        ("en", "маяк", "a lighthouse is маяк in Russian"),
    ],
)
def test_another_form_of_the_word_finds_it(language, question, text):
    assert found(question, text, language, weight=0.4)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("hash map", "`HashMap::from_iter`"),
        ("from_iter", "HashMap::from_iter()"),
        ("hashmap", "a HashMap"),
        ("case name", "snake_case_name"),
        ("camel", "camelCaseName"),
        ("init", "__init__"),
        ("dry-run", "use --dry-run here"),
        ("dry run", "use --dry-run here"),
        ("Python 3.11", "Python v3.11.2"),
        ("1234.5", "1,234.5 or 1.234,5"),
        ("2024", "on 2024-05-17"),
        ("c++", "C++17"),
        ("COVID 19", "COVID-19"),
        ("net", ".NET"),
        ("example", "me@example.com"),
    ],
)
def test_parts_and_spellings_of_identifiers_are_found(question, text):
    assert found(question, text, "en")


@pytest.mark.parametrize(
    "name",
    "HashMap::from_iter snake_case_name camelCaseName foo.bar.baz ERR_TLS_CERT-7 --dry-run --force -v C++ C# .NET "
    "3.11.2 v3.11.2 1,234.5 2024-05-17 12:30 x86_64 AT&T __init__ me@example.com IL-2".split(),
)
def test_an_identifier_is_found_whole_and_weighs_most(name):
    terms = query_terms(f"what is {name} for?", {"en"})
    assert terms[0][1] == 1.0
    assert {term for term, _ in terms} <= set(index_terms(f"See ({name}), or not.", "en"))
    assert terms[0][0] not in index_terms(
        "a hash map from iter, snake case name, foo bar baz, c, net, force, 3 11 2", "en"
    )


def test_what_differs_by_a_sign_is_kept_apart():
    assert not found("C++", "C and C#", "en") and not found("C#", "C and C++", "en")
    assert not found("3.11", "13.11 or 3.12", "en") and not found("1.5", "15", "en")
    assert found("йод", "йод", "ru") and not found("йод", "иод", "ru")


def test_an_english_index_gets_one_term_for_each_word():
    question = "How many kilograms of honeys do the bees need in winters, the bees?"
    assert query_terms(question, {"en"}) == [
        (term, 1.0) for term in ["mani", "kilogram", "honey", "bee", "need", "winter", "bee"]
    ]


def test_a_mixed_index_gets_the_stems_of_each_language_once():
    terms = query_terms("Wie hoch sind die Häuser?", {"de", "en", "zh", ""})
    assert terms == [("hoch", 1.0), ("haus", 1.0), ("hauser", 0.5)]


def test_stop_words_are_left_out_unless_there_is_nothing_else():
    assert query_terms("to be or not to be", {"en"}) == [(w, 1.0) for w in ["to", "be", "or", "not", "to", "be"]]
    assert query_terms("Who is the WHO?", {"en"}) == [("who", 1.0)]
    assert [term for term, _ in query_terms("什么是蜜蜂", {"zh"})] == ["是", "蜜", "蜂", "是蜜", "蜜蜂"]
    assert query_terms("什么", {"zh"})
    assert query_words("What is the height of the tower?") == ["height", "tower"]


def test_phrases_are_what_stands_in_double_quotes():
    assert phrases('is it "wound  by\nhand" or “by foot”?') == ["wound by hand", "by foot"]
    assert phrases("„eins“ «deux» »drei« 「四」『五』＂six＂") == ["eins", "deux", "drei", "四", "五", "six"]
    assert phrases('a 5" disk and a 3" one, \'single\', "", " ", "open') == []
    assert phrases('"twice" and "twice"') == ["twice"]


def test_long_runs_are_neither_terms_nor_slow():
    began = time.monotonic()
    hostile = "a." * 50_000 + "A1_" * 50_000 + "x" * 200_000 + "1," * 50_000 + "-" * 100_000 + "'a" * 50_000
    terms = index_terms(hostile, "en")
    assert max(map(len, terms)) <= 256
    assert len(terms) < len(hostile)
    assert time.monotonic() - began < 5


@settings(max_examples=300, deadline=None)
@given(st.text(), st.sampled_from(LANGUAGES))
@example("a'", "fr")
@example("l'l'", "fr")
@example("ـ", "ar")
@example("́a", "en")
def test_whatever_is_indexed_is_found_by_asking_for_it(text, language):
    terms = index_terms(text, language)
    asked = query_terms(text, {language})
    assert all(isinstance(term, str) and term for term in terms)
    assert {term for term, _ in asked} & set(terms) or not terms
    assert all(0 < weight <= 1 for _, weight in asked)


@settings(max_examples=200, deadline=None)
@given(st.from_regex(r"[\w.:@'+#-]{1,20}", fullmatch=True), st.sampled_from(LANGUAGES))
def test_a_token_gives_the_same_terms_wherever_it_stands(token, language):
    alone = index_terms(token, language)
    assert index_terms(f"( {token} , {token} )", language) == alone + alone


def test_the_version_is_that_of_stored_terms():
    assert VERSION == 2
