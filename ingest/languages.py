"""Text to its language, told by script and by counting the commonest function words.

Deterministic, without a model, and quick: no more than `LIMIT` characters are looked at. Languages of the Latin and
Cyrillic scripts are told apart by `FUNCTION_WORDS`, which also serve as the stop words of a question (other scripts
have a table for that alone). A Latin or Cyrillic language without a table is not recognised ("" is returned), and a
kanji-only Japanese text counts as Chinese.
"""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from functools import lru_cache

LIMIT = 20_000
_EVIDENCE = 2.0  # how much must speak for a language; a function word that n languages share counts 1 / n
_SHARE = (
    0.05  # ... and which share of the words are function words, so that a table of numbers with a few words has none
)
_WORD = re.compile(r"[^\W\d_]+")

FUNCTION_WORDS: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": "the of and to in a is that for it was on are as with be by this at from or an have not which were has "
        "their they but what how who when where why does did can over",
        "de": "der die das und ist in den von zu mit sich des auf für nicht ein eine einer einem einen als auch es an "
        "werden aus er hat dass sie nach wird bei dem war wie was wer wo wann warum welche welcher welches welchem "
        "sind um am im zum zur oder durch über wurde wurden haben viele hatte",
        "fr": "le la les de des du et est en un une que qui dans pour pas sur au aux ce il elle plus par avec ne se "
        "sont son sa ses cette ces été quel quelle quels quelles comment quand où pourquoi combien quoi leur ou a y "
        "était ont d l qu",
        "es": "el la los las de del y en que un una es por con para se su al lo como más no fue son sus qué cuál "
        "cuáles quién cómo cuándo dónde cuánto cuántos cuántas está ha o pero entre sobre era este esta a le",
        "it": "il lo la i gli le di del della dei delle e è che in un una per con non si da al sono come più nel nella "
        "anche ha alla dal dalla sua suo questo questa quale quali chi cosa quando dove perché quanto quanti quante o "
        "era stato a su",
        "pt": "o a os as de do da dos das e é em que um uma para com não no na nos nas por se mais ao foi como são sua "
        "seu pelo pela ou qual quais quem quando onde quanto quantos quantas está ser à",
        "nl": "de het een van en in is dat op te zijn met voor niet aan er om ook als dan door naar bij uit maar nog "
        "wordt worden werd was die wat wie hoe waar wanneer waarom welke hoeveel deze dit over hebben heeft of",
        "sv": "och att det i en är som på av för den med till inte ett om har de var vad hur när vem varför vilken "
        "vilket vilka från men eller kan så också under efter där sin han hon många blev",
        "da": "og at det i en er som på af for den med til ikke et om har de var hvad hvordan hvornår hvem hvorfor "
        "hvilken hvilket hvilke fra men eller kan så også efter der blev sig han hun mange hvor ved",
        "no": "og at det i en er som på av for den med til ikke et om har de var hva hvordan når hvem hvorfor hvilken "
        "hvilket hvilke fra men eller kan så også etter der ble seg han hun mange hvor ved",
        "fi": "ja on ei se että oli joka mutta ovat kun niin myös hän kuin tai sen ole mitä mikä kuka missä milloin "
        "miksi miten kuinka voi olla ne jos sekä tämä siitä mukaan jonka jotka hänen ollut monta minkä",
        "hu": "a az és hogy nem is egy van volt ez meg de csak már még mint vagy el ki mi mit milyen hol mikor miért "
        "hogyan ha azt ezt amely aki melyik lehet után szerint majd pedig hány mennyi",
        "ro": "și şi de la în cu pe a o un este din care că nu se mai pentru sau ale lui fost sunt ce cine când unde "
        "cum cât câți câte această al ca prin dar au fi după între era",
        "tr": "ve bir bu da de için ile olarak olan daha çok en ne gibi kadar sonra ise mi mı değil var o ya her "
        "hangi kim nerede nasıl niçin neden kaç olduğu tarafından idi şu hangisi",
        "pl": "i w na z do się nie jest to że o jak po co za od przez dla są był była było kto kiedy gdzie dlaczego "
        "który która które jego jej ale oraz lub czy przy także ile jaki jaka jakie",
        "cs": "a v na se je že to s z do i o jako po by za od pro jsou byl byla bylo ale který která které co kdo kdy "
        "kde proč jak nebo také při podle až kolik jaký jaká jaké ve",
        "ca": "el la els les de del dels i en que un una és per amb no es al com més va són seu seva què qui quan on "
        "quin quina quins quines aquest aquesta també però entre ha o quant quants",
        "id": "yang dan di dari ini itu untuk dengan pada tidak adalah dalam akan ke oleh atau juga sebagai karena "
        "telah dapat apa siapa kapan mana bagaimana mengapa berapa ada bisa lebih",
        "vi": "của và là các có được trong cho một với không những người này đã để khi ở từ về đến như gì ai nào bao "
        "nhiêu tại sao đâu thế cũng",
        "ru": "и в не на что с по как это к а из за у от но для то о же был была было были его её или при так также "
        "который которая которые кто где когда почему сколько какой какая какие какое чем чему",
        "uk": "і в не на що з у як це до та за від але для то про же був була було були його її або при так також який "
        "яка які яке хто де коли чому скільки є й",
        "bg": "и в не на че с по как това към а от за но до то е са се му или при също който която които кой къде кога "
        "защо колко какво каква какви ще беше си",
        "ar": "في من على إلى الى ما ماذا متى أين اين كم كيف هل التي الذي هو هي عن أن ان إن كان كانت مع أي اي لماذا منذ "
        "بعد قبل هذا هذه ذلك لا لم قد أو او ثم بين عند عندما حيث كل بها به له لها هم مما فيها فيه وما ومن وفي",
        "fa": "و در به از که این را با است برای آن یک خود تا بر هم چه چرا کجا کی چگونه کدام چند بود شد شده می های",
        "el": "ο η το οι τα του της των τον την και να σε με για από που στο στη στην στον στα στις είναι ήταν δεν θα "
        "ως τι ποιος ποια ποιο ποιοι πότε πού πώς γιατί πόσο πόσα πόσοι πόσες ένα μια ένας",
        "hi": "के का की को से में है हैं और पर ने यह था थी थे एक कि जो भी तो या लिए क्या कौन कब कहाँ क्यों कैसे कितने "
        "कितना कितनी किस किसने गया गई इस उस वह",
        "sr": "и у не на да с по како то к а од за али је су се му или при такође који која које ко где када зашто "
        "колико шта био била били са из",
    }.items()
}
_LANGUAGES_OF = {
    word: tuple(language for language, words in FUNCTION_WORDS.items() if word in words)
    for word in frozenset[str]().union(*FUNCTION_WORDS.values())
}

# Scripts with one language here, by the first word of a letter's Unicode name. Han, Latin and Cyrillic are told below.
_LANGUAGE_OF_SCRIPT = {
    "ARABIC": "ar", "ARMENIAN": "hy", "BENGALI": "bn", "DEVANAGARI": "hi", "ETHIOPIC": "am", "GEORGIAN": "ka",
    "GREEK": "el", "GUJARATI": "gu", "GURMUKHI": "pa", "HANGUL": "ko", "HEBREW": "he", "KANNADA": "kn", "KHMER": "km",
    "LAO": "lo", "MALAYALAM": "ml", "MYANMAR": "my", "SINHALA": "si", "TAMIL": "ta", "TELUGU": "te", "THAI": "th",
    "TIBETAN": "bo",
}  # fmt: skip
_JAPANESE, _PERSIAN, _URDU = ("HIRAGANA", "KATAKANA"), frozenset("پچژگکی"), frozenset("ٹڈڑےںھہ")
_WEIGHT = {"CJK": 3, "HIRAGANA": 3, "KATAKANA": 3, "HANGUL": 2}  # letters of an alphabet that one character is worth


def language_of(text: str) -> str:
    """Return the ISO 639-1 code of the language that most of a text is in; "" where none can be told."""
    sample = text[:LIMIT]
    letters = Counter(char for char in sample if char.isalpha()) if not sample.isascii() else Counter("a")
    scripts: Counter[str] = Counter()
    for char, count in letters.items():
        script = script_of(char)
        scripts[script] += count * _WEIGHT.get(script, 1)
    if not scripts:
        return ""
    japanese = sum(scripts.pop(kana, 0) for kana in _JAPANESE)
    scripts["CJK"] += japanese
    script = max(sorted(scripts), key=lambda name: scripts[name])
    if script == "CJK":
        return "ja" if japanese > 0.05 * scripts["CJK"] else "zh"
    if script == "ARABIC":
        return _arabic_script(letters)
    if script in ("LATIN", "CYRILLIC"):
        return _by_function_words(sample)
    return _LANGUAGE_OF_SCRIPT.get(script, "")


def likely_languages(words: Iterable[str], among: Collection[str] = tuple(FUNCTION_WORDS)) -> list[str]:
    """Return which of some languages the function words among lower-case words speak for most, however few they are."""
    evidence = _evidence(words)
    best = max((evidence[language] for language in among), default=0.0)
    return [language for language in among if best and evidence[language] > 0.99 * best]


@lru_cache(maxsize=16_384)
def script_of(char: str) -> str:
    """Return the script of a letter as its Unicode name begins: "LATIN", "CJK", "CYRILLIC"; "" for an unnamed one."""
    return unicodedata.name(char, "").partition(" ")[0]


def _by_function_words(sample: str) -> str:
    words = _WORD.findall(sample.lower())
    likely = likely_languages(words)
    if len(likely) != 1 or _evidence(words)[likely[0]] < _EVIDENCE:
        return ""
    spoken = sum(word in FUNCTION_WORDS[likely[0]] for word in words)
    return likely[0] if spoken >= _SHARE * len(words) else ""


def _evidence(words: Iterable[str]) -> defaultdict[str, float]:
    """What speaks for each language: many different words say more than one said often (Los Angeles Lakers)."""
    evidence: defaultdict[str, float] = defaultdict(float)
    for word, count in Counter(words).items():
        if len(word) > 1:
            for language in _LANGUAGES_OF.get(word, ()):
                evidence[language] += math.sqrt(count) / len(_LANGUAGES_OF[word])
    return evidence


def _arabic_script(letters: Counter[str]) -> str:
    share = {
        code: sum(letters[char] for char in chars) / letters.total()
        for code, chars in (("fa", _PERSIAN), ("ur", _URDU))
    }
    if share["ur"] > 0.03:
        return "ur"
    return "fa" if share["fa"] > 0.03 else "ar"
