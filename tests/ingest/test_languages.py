"""The language of a text, told from a sentence or two."""

import pytest

from ingest.languages import LIMIT, language_of

SENTENCES = {
    "en": "The keeper of the lighthouse was paid by the ton of oil that he saved, and it is said that he saved much.",
    "de": "Der Wärter des Leuchtturms wurde nach dem Öl bezahlt, das er sparte, und er sparte nicht wenig.",
    "fr": "Le gardien du phare était payé selon l'huile qu'il ne brûlait pas, et il en brûlait très peu la nuit.",
    "es": "El guardián del faro cobraba por el aceite que no se quemaba, y en las noches de verano no era poco.",
    "it": "Il guardiano del faro era pagato per l'olio che non bruciava, e nelle notti d'estate non era poco.",
    "pt": "O guarda do farol era pago pelo óleo que não se queimava, e nas noites de verão não era pouco.",
    "nl": "De wachter van de vuurtoren werd betaald voor de olie die hij niet verbrandde, en dat was niet weinig.",
    "sv": "Fyrvaktaren fick betalt för den olja som inte brändes, och det var inte lite under sommarens nätter.",
    "da": "Fyrpasseren blev betalt for den olie, der ikke blev brændt af, og det var ikke lidt efter sommerens nætter.",
    "no": "Fyrvokteren ble betalt for den oljen som ikke ble brent, og det var ikke lite etter sommerens netter.",
    "fi": "Majakanvartija sai palkkaa öljystä, joka ei palanut, ja kesän öinä se ei ollut vähän, kun hän oli tarkka.",
    "hu": "A torony őre azért az olajért kapott fizetést, amely nem égett el, és ez nyáron nem volt kevés.",
    "ro": "Paznicul farului era plătit pentru uleiul care nu se ardea, și în nopțile de vară nu era puțin.",
    "tr": "Fener bekçisi yanmayan yağ için para alırdı ve bu yaz geceleri için çok az değil, daha çok bir şeydi.",
    "pl": "Latarnik był opłacany za olej, który się nie spalił, i w letnie noce nie było to mało.",
    "cs": "Strážce majáku byl placen za olej, který se nespálil, a v letních nocích to nebylo málo, jak se říká.",
    "ru": "Смотритель маяка получал плату за масло, которое не сгорело, и летними ночами это было не так мало.",
    "uk": "Доглядач маяка отримував плату за олію, яка не згоріла, і це було не так мало, як про те кажуть.",
    "el": "Ο φύλακας του φάρου πληρωνόταν για το λάδι που δεν έκαιγε.",
    "ar": "كان حارس المنارة يتقاضى أجره عن الزيت الذي لم يحترق.",
    "fa": "نگهبان فانوس دریایی برای روغنی که نمی‌سوخت پول می‌گرفت.",
    "he": "שומר המגדלור קיבל שכר על השמן שלא נשרף.",
    "hi": "प्रकाशस्तंभ के रखवाले को उस तेल का पैसा मिलता था जो नहीं जला।",
    "th": "ผู้ดูแลประภาคารได้รับค่าจ้างตามน้ำมันที่ไม่ได้ใช้",
    "zh": "灯塔看守人的工资取决于没有烧掉的油。",
    "ja": "灯台守の給料は燃やさなかった油で決まった。",
    "ko": "등대지기의 급여는 태우지 않은 기름에 따라 정해졌다.",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_tells_its_language(language):
    assert language_of(SENTENCES[language]) == language


@pytest.mark.parametrize("text", ["", "12 345.6\n7,8", "🙂🙂", "asdf jkl qwer", "Zürich 4,5\nBern 3,1\nGenf 2,0"])
def test_where_nothing_can_be_told_nothing_is_said(text):
    assert language_of(text) == ""


def test_foreign_names_and_code_do_not_change_the_language():
    assert language_of("使用 HashMap::from_iter 和 collect 方法，从迭代器创建一个新的哈希表。") == "zh"
    assert language_of("Настройка параметра connection_timeout не влияет на запрос, который уже был отправлен.") == "ru"
    teams = "In this league of the south: Los Angeles Rams, Los Angeles Lakers, Los Angeles Kings, Los Angeles Dodgers."
    assert language_of(teams) == "en"


def test_only_the_beginning_is_looked_at():
    german = SENTENCES["de"] * (LIMIT // len(SENTENCES["de"]) + 1)
    assert language_of(german + SENTENCES["en"] * 1000) == "de"
