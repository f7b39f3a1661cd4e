import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from languages import TEXTS

from ingest.errors import UnreadableFile
from ingest.loaders.encoding import clean, decode

GERMAN = "Die Straße führt über die Brücke, und die Häuser stehen schön am Fluß. Größe: 5 Äcker.\n"
SPANISH = "El niño comió mañana. ¿Qué será de la señora? Canción, razón, corazón y pingüino.\n"
FRENCH = "L'été était très chaud cette année. J'ai acheté un café à côté de l'hôtel, où le garçon « a reçu » la clé.\n"
POLISH = "Zażółć gęślą jaźń. To jest tekst próbny, który zawiera różne znaki. Łódź się śmieje.\n"
CZECH = "Příliš žluťoučký kůň úpěl ďábelské ódy. Dnes je hezký den a slunce svítí.\n"
HUNGARIAN = "Árvíztűrő tükörfúrógép. A magyar nyelv szép és különleges, több ékezettel.\n"
TURKISH = "Türkiye'nin başkenti Ankara'dır. Güneş doğudan doğar ve çok güzel bir gün başlıyor.\n"
RUSSIAN = "Привет, как дела? Это проверка кодировки текста на русском языке.\n"
UKRAINIAN = "Україна є найбільшою країною, територія якої повністю лежить в Європі.\n"
GREEK = "Καλημέρα κόσμε, αυτό είναι ένα τεστ για την κωδικοποίηση του κειμένου.\n"
HEBREW = "שלום עולם, זה מבחן של קידוד הטקסט בעברית. היום יום יפה מאוד.\n"
ARABIC = "اللغة العربية هي أكثر اللغات السامية تحدثا، وإحدى أكثر اللغات انتشارا في العالم.\n"
CHINESE = "北京是中华人民共和国的首都，也是全国的政治中心和文化中心。这里有很多名胜古迹。\n"
TAIWANESE = "臺北是中華民國的首都，這個城市的歷史很長，人們的生活很方便，文化也很豐富。\n"
JAPANESE = "日本語のテキストです。これはテストです。東京は日本の首都で、人口が多いです。\n"
KOREAN = "안녕하세요 세계. 한국어 문장입니다. 서울은 대한민국의 수도이고 인구가 많습니다.\n"
ENGLISH = "The “small” box costs €12 – or £10 – as the café’s owner said…\n"


UNICODE = "utf-8 utf-8-sig utf-16 utf-16-le utf-16-be utf-32 utf-32-le utf-32-be".split()
WESTERN = "cp1252 latin-1 iso8859_15 mac_roman cp850".split()
CENTRAL = "cp1250 iso8859_2 cp852".split()
CODE_PAGES = {
    **dict.fromkeys(
        ["german", "french", "spanish", "portuguese", "swedish", "danish", "finnish", "icelandic"], WESTERN
    ),
    "italian": ["cp1252", "latin-1", "iso8859_15", "mac_roman"],
    "english": ["cp1252", "mac_roman"],
    **dict.fromkeys(["polish", "czech", "hungarian", "croatian"], CENTRAL),
    "romanian": ["cp1250", "iso8859_2"],
    "turkish": ["cp1254", "iso8859_9"],
    "lithuanian": ["cp1257", "iso8859_13"],
    "latvian": ["cp1257", "iso8859_13"],
    "estonian": ["cp1257", "cp1252", "iso8859_15"],
    "russian": ["cp1251", "koi8_r", "cp866", "iso8859_5"],
    "ukrainian": ["cp1251", "koi8_u"],
    "bulgarian": ["cp1251", "iso8859_5"],
    "greek": ["cp1253", "iso8859_7"],
    "hebrew": ["cp1255", "iso8859_8"],
    "arabic": ["cp1256", "iso8859_6"],
    "thai": ["cp874", "tis_620"],
    "chinese": ["gb2312", "gbk", "gb18030"],
    "taiwanese": ["big5", "big5hkscs", "gbk"],
    "japanese": ["cp932", "shift_jis", "euc_jp", "iso2022_jp"],
    "korean": ["euc_kr", "cp949", "iso2022_kr", "johab"],
}


@pytest.mark.parametrize("encoding", UNICODE)
@pytest.mark.parametrize("text", [*TEXTS.values(), "plain English words\n"], ids=[*TEXTS, "ascii"])
def test_unicode_is_read_with_and_without_a_mark(text, encoding):
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("language", "encoding"), [(name, page) for name, pages in CODE_PAGES.items() for page in pages]
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_texts_in_old_code_pages_are_read(language, encoding, line_end):
    written = TEXTS[language].replace("\n", line_end).encode(encoding, "replace")
    expected = TEXTS[language].encode(encoding, "replace").decode(encoding)
    assert decode(written) == expected


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "cp1252"),
        (SPANISH, "cp1252"),
        (FRENCH, "cp1252"),
        (ENGLISH, "cp1252"),
        (POLISH, "cp1250"),
        (POLISH, "iso8859_2"),
        (CZECH, "cp1250"),
        (HUNGARIAN, "cp1250"),
        (TURKISH, "cp1254"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8_r"),
        (RUSSIAN, "cp866"),
        (UKRAINIAN, "cp1251"),
        (GREEK, "cp1253"),
        (HEBREW, "cp1255"),
        (ARABIC, "cp1256"),
        (CHINESE, "gb18030"),
        (TAIWANESE, "big5"),
        (JAPANESE, "cp932"),
        (JAPANESE, "euc_jp"),
        (JAPANESE, "iso2022_jp"),
        (KOREAN, "euc_kr"),
    ],
)
@pytest.mark.parametrize("times", [1, 30])
def test_legacy_code_pages_are_guessed(text, encoding, times):
    assert decode((text * times).encode(encoding)) == text * times


def test_ascii_lines_do_not_blur_the_guess():
    data = b"A plain line of English words.\n" * 300 + SPANISH.encode("cp1252")
    assert decode(data).endswith(SPANISH)


def test_line_ends_become_newlines():
    assert decode(b"a\r\nb\rc\n\rd") == "a\nb\nc\n\nd"


def test_control_characters_become_one_space_each():
    assert decode(b"a\x00b\x0cc\x1bd\te and enough words to be text") == "a b c d\te and enough words to be text"


def test_a_few_broken_bytes_do_not_spoil_utf8():
    data = (CHINESE * 5).encode() + b"\xff broken"
    assert decode(data) == CHINESE * 5 + "\ufffd broken"


@pytest.mark.parametrize("cut", [1, 2])
def test_a_character_cut_in_two_at_the_end_does_not_spoil_utf8(cut):
    assert decode("ein Wort über die Straße 漢".encode()[:-cut]) == "ein Wort über die Straße \ufffd"


@pytest.mark.parametrize("word", ["¼ cup", "5 £", "Deák", "gewöhnlich", "a/b.c façade (naïve)", "20 °C ± 1"])
def test_a_single_foreign_character_is_taken_for_western(word):
    assert decode(f"Some plain words about {word}, and more of them.".encode("cp1252")).count(word) == 1


@pytest.mark.parametrize("name", ["unicode_escape", "utf-7", "idna", "rot13", "no such", "a\0b", "undefined", "é"])
def test_a_declared_encoding_that_is_none_is_ignored(name):
    assert decode(b"words \\ud800 +2AA-", name) == "words \\ud800 +2AA-"


def test_lone_surrogates_become_spaces():
    assert clean("a\ud83db\udc00") == "a b "


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_half_a_pair_in_utf16_is_replaced(mark):
    encoding = "utf-16-le" if mark == b"\xff\xfe" else "utf-16-be"
    data = mark + "plain words".encode(encoding) + "\ud83d".encode(encoding, "surrogatepass") + "x".encode(encoding)
    assert decode(data) == "plain words\ufffdx"


@pytest.mark.parametrize(
    "data",
    [
        bytes(range(256)) * 20,
        b"\x7fELF\x02\x01\x01" + bytes(500) + b"\xde\xad\xbe\xef" * 30,
        bytes(2000),
        b"\xff\xfe" + bytes((i * 7919 >> 3) & 255 for i in range(4000)),
    ],
)
def test_binary_data_is_refused(data):
    with pytest.raises(UnreadableFile, match="binary"):
        decode(data)


def test_a_declared_encoding_is_used_only_if_it_fits():
    assert decode(RUSSIAN.encode("koi8_r"), "koi8_r") == RUSSIAN
    assert decode("é".encode("cp1252"), "utf-8") == "é"
    assert decode(b"\xef\xbb\xbf" + "é".encode(), "cp1251") == "é"


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co")), max_size=300))
def test_offsets_are_those_of_read_text(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "a.txt"
    path.write_bytes(text.encode())
    assert decode(path.read_bytes()) == path.read_text(encoding="utf-8-sig")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_give_clean_text_or_a_reason(data):
    try:
        text = decode(data)
    except UnreadableFile:
        return
    text.encode("utf-8")
    assert not any(char < " " and char not in "\n\t" for char in text)
