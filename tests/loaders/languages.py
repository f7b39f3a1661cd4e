"""A few sentences in many languages, to be written in their old code pages and read back."""

TEXTS = {
    "german": """
Der Bäcker öffnet um sechs Uhr früh, weil die ersten Gäste schon vor der Tür stehen. Für größere Bestellungen
genügt ein Anruf am Vortag; süße Brötchen, Käsestangen und Äpfel im Schlafrock gibt es täglich außer sonntags.
Wer möchte, kann draußen auf der Straße unter den Bäumen sitzen und über den Fluß schauen. Das Geschäft schließt
abends um fünf.
""",
    "french": """
L'école du village a été fermée pendant l'été, et les élèves ont dû aller à pied jusqu'à la ville voisine. Où
étaient les maîtres ? Ça, personne ne l'a su. La forêt était très sombre, mais les garçons connaissaient le
chemin ; ils s'arrêtaient près du château pour goûter. À Noël, le maire a reçu une lettre : « Les travaux sont
achevés », disait-elle.
""",
    "spanish": """
El niño preguntó qué había detrás de la montaña. ¿Será un país más pequeño? La señora contestó que allí vivían
pingüinos, según decían los viejos. ¡Qué maravilla! Al día siguiente salieron muy temprano, con agua, jamón y
una canción que aprendió el año pasado. También llevaban un mapa, aunque ningún camino estaba señalado en él.
Después llegó la lluvia.
""",
    "portuguese": """
A estação de comboios não abre às segundas-feiras. As crianças esperavam à porta, mas ninguém lhes dava atenção.
Três irmãos decidiram então ir a pé até à praia, onde há pães com manteiga e café quente. O avô já não está cá;
deixou-lhes uma coleção de conchas e algumas histórias. É difícil imaginar o verão sem ele, disse a mãe, e ficou
em silêncio.
""",
    "italian": """
La città è bella perché il mare è già lì, dietro le case. Però d'inverno non c'è più nessuno, né turisti né
pescatori. Così il caffè della piazza chiude alle sei, e la libertà di camminare da soli è un lusso. Chissà se
verrà anche lui, o se resterà lassù. La verità è che ognuno può scegliere; la felicità, però, è un'altra cosa.
""",
    "swedish": """
På hösten faller äpplena från träden i trädgården, och barnen får göra mos av dem. Den äldsta systern åker till
sjön för att se om isen har lagt sig. Är det för tidigt? Längre bort hörs någon såga ved. Mormor säger att
vintern blir hård i år, och då måste vi hålla oss nära elden och läsa högt för varandra.
""",
    "danish": """
Når færgen går fra øen om aftenen, står børnene på molen og råber farvel. Det blæser næsten altid, og bølgerne
slår op over stenene. Så går de hjem og får rødgrød med fløde, før de skal i seng. Måske kommer der gæster i
påsken, siger faderen; værelset er ledigt, og køkkenet er stort nok til hele selskabet.
""",
    "finnish": """
Kesällä järven ranta täyttyi ihmisistä, mutta syksyn tullen siellä ei enää näkynyt ketään. Isä lämmitti saunan
joka lauantai ja äiti keitti kahvia. Lapset pyörivät pihalla, söivät mustikoita ja väittelivät siitä, kuka osaa
hypätä pisimmälle. Yöllä satoi vettä, ja aamulla kaikki oli märkää ja hiljaista.
""",
    "icelandic": """
Það er kalt í dag og snjórinn liggur yfir öllum fjöllum. Bóndinn fór út í fjós áður en sólin kom upp, því að
kýrnar bíða ekki. Á borðinu stóð bolli með heitu kaffi og brauð með osti. Börnin ætla í skólann þótt vegurinn sé
ófær; þau þekkja stíginn með sjónum. Í kvöld verður sungið og lesið úr gömlum bókum.
""",
    "polish": """
Wczesnym rankiem rybacy wypływają łodziami na jezioro, chociaż mgła jest jeszcze gęsta. Wracają około południa i
sprzedają świeże ryby na targu; najdroższy jest węgorz. Dzieci pomagają dźwigać skrzynie, za co dostają ciepłe
bułki. Kiedyś było tu więcej ludzi, ale młodzi wyjechali do miasta. Zostały domy, sady i ścieżka, która prowadzi
przez las aż do kościoła.
""",
    "czech": """
Na podzim se v sadu sklízejí švestky a hrušky, z nichž babička vaří povidla. Kluci lezou na žebříky, děvčata
třídí ovoce podle velikosti. Když začne pršet, všichni utíkají pod střechu stodoly a vyprávějí si příběhy. Říká
se, že v údolí kdysi žil obr, který uměl přeskočit řeku. Ať je to pravda nebo ne, dětem se to líbí.
""",
    "hungarian": """
A falu végén álló öreg malom már régóta nem őröl lisztet, mégis sokan keresik föl. Nyáron a gyerekek a patakban
fürödnek, ősszel diót gyűjtenek a kertben. A molnár unokája könyvet ír a környék történetéről; minden űrlapot,
levelet és fényképet megőriz. Úgy mondja, ő csak azért jött vissza, mert a városban túl nagy a zaj.
""",
    "romanian": """
În satul de lângă munte, oamenii se trezesc devreme şi merg la câmp înainte să răsară soarele. Fântâna din
mijlocul pieţei are apă rece şi bună. Bătrânii spun că acolo a fost odată o cetate, dar nimeni nu ştie unde sunt
zidurile. Copiii caută monede vechi după ploaie. Seara, toată lumea stă la poartă şi povesteşte ce s-a întâmplat
peste zi.
""",
    "croatian": """
Čim dođe proljeće, ribari izvlače čamce na žal i boje ih u plavo. Žene suše mreže i pričaju o zimi koja je bila
duža nego što se pamti. Na trgu se prodaju šparoge, naranče i svježi sir. Djeca trče za loptom između kuća, a
netko uvijek viče da je tišina u podne svetinja. Navečer se čuje pjesma s druge strane luke.
""",
    "turkish": """
Sabahın erken saatlerinde çarşıdaki dükkânlar birer birer açılır. Balıkçı tezgâhını suyla yıkar, fırıncı ilk
ekmekleri çıkarır. Öğleye doğru sokaklar kalabalıklaşır; çocuklar okuldan dönerken simit alır. Köşedeki kahvede
yaşlılar gazete okuyup eski günleri konuşur. Akşam olunca ışıklar yanar, deniz sessizleşir ve gemiler yavaşça
uzaklaşır. İyi ki buradayız.
""",
    "lithuanian": """
Anksti rytą žvejai išplaukia į marias, nors rūkas dar tirštas. Jie grįžta apie pietus ir parduoda šviežią žuvį
turguje. Vaikai padeda nešti dėžes, už tai gauna šiltų bandelių. Kadaise čia gyveno daugiau žmonių, bet jaunimas
išvažiavo į miestą. Liko namai, sodai ir takas, kuris veda per mišką iki bažnyčios.
""",
    "latvian": """
Rudenī dārzā nogatavojas āboli un bumbieri, no kuriem vecmāmiņa vāra ievārījumu. Bērni kāpj pa kāpnēm un šķiro
augļus pēc lieluma. Kad sāk līt, visi skrien zem jumta un stāsta pasakas. Runā, ka ielejā reiz dzīvojis milzis,
kas spējis pārlēkt upei. Vai tā ir taisnība, neviens nezina, taču klausīties ir jauki.
""",
    "estonian": """
Sügisel korjatakse aias õunu ja pirne, millest vanaema keedab moosi. Poisid ronivad redelil, tüdrukud
sorteerivad puuvilju suuruse järgi. Kui hakkab sadama, jooksevad kõik katuse alla ja räägivad lugusid. Öeldakse,
et orus elas kord hiiglane, kes oskas üle jõe hüpata. Kas see on tõsi, ei tea keegi, kuid lastele see meeldib.
""",
    "russian": """
Ранним утром рыбаки выходят на озеро, хотя туман ещё густой. Они возвращаются к полудню и продают свежую рыбу на
рынке. Дети помогают носить ящики и получают за это тёплые булочки. Когда-то здесь жило больше людей, но
молодёжь уехала в город. Остались дома, сады и тропинка, которая ведёт через лес к церкви. Что будет дальше,
никто не знает.
""",
    "ukrainian": """
Рано-вранці рибалки виходять на озеро, хоча туман ще густий. Вони повертаються опівдні й продають свіжу рибу на
ринку. Діти допомагають носити ящики і дістають за це теплі булочки. Колись тут жило більше людей, але молодь
поїхала до міста. Залишилися хати, садки і стежка, що веде через ліс до церкви. Її знає кожен, хто тут виріс.
""",
    "bulgarian": """
Рано сутрин рибарите излизат в езерото, макар че мъглата още е гъста. Връщат се към обяд и продават прясна риба
на пазара. Децата помагат да се носят щайгите и получават топли кифли. Някога тук са живели повече хора, но
младите заминаха за града. Останаха къщите, градините и пътеката, която води през гората до църквата.
""",
    "greek": """
Νωρίς το πρωί οι ψαράδες βγαίνουν στη λίμνη, αν και η ομίχλη είναι ακόμη πυκνή. Γυρίζουν το μεσημέρι και πουλάνε
φρέσκα ψάρια στην αγορά. Τα παιδιά βοηθούν να μεταφερθούν τα κιβώτια και παίρνουν ζεστά κουλούρια. Κάποτε ζούσαν
εδώ περισσότεροι άνθρωποι, αλλά οι νέοι έφυγαν για την πόλη. Έμειναν τα σπίτια και ένα μονοπάτι μέσα στο δάσος.
""",
    "hebrew": """
מוקדם בבוקר יוצאים הדייגים אל האגם, אף שהערפל עדיין סמיך. הם חוזרים לקראת הצהריים ומוכרים דגים טריים בשוק.
הילדים עוזרים לשאת את הארגזים ומקבלים לחמניות חמות. פעם גרו כאן יותר אנשים, אבל הצעירים עברו לעיר. נשארו הבתים,
הגנים והשביל שמוביל דרך היער אל הכפר הישן.
""",
    "arabic": """
في الصباح الباكر يخرج الصيادون إلى البحيرة رغم أن الضباب ما زال كثيفا. يعودون عند الظهر ويبيعون السمك الطازج في
السوق. يساعد الأطفال في حمل الصناديق ويحصلون على خبز ساخن. كان يعيش هنا عدد أكبر من الناس، لكن الشباب ذهبوا إلى
المدينة. بقيت البيوت والحدائق والطريق الذي يمر عبر الغابة.
""",
    "thai": """
ในตอนเช้าตรู่ชาวประมงออกไปที่ทะเลสาบแม้ว่าหมอกยังหนาอยู่ พวกเขากลับมาตอนเที่ยงและขายปลาสดที่ตลาด
เด็กๆ ช่วยกันยกลังและได้ขนมปังอุ่นเป็นรางวัล เมื่อก่อนมีคนอาศัยอยู่ที่นี่มากกว่านี้ แต่คนหนุ่มสาวย้ายไปอยู่ในเมือง
เหลือเพียงบ้าน สวน และทางเดินที่ทอดผ่านป่า
""",
    "chinese": """
清晨，渔民们驾船驶入湖中，尽管雾气仍然很浓。他们中午回来，在市场上出售新鲜的鱼。孩子们帮忙搬箱子，得到热
乎乎的面包。从前这里住着更多的人，但是年轻人都去了城市。留下来的只有房子、花园和一条穿过树林的小路。没有
人知道以后会怎么样，老人们说：“冬天过去，春天总会来的。”于是大家继续工作，等待下一个季节。
""",
    "taiwanese": """
清晨，漁民們駕船駛入湖中，儘管霧氣仍然很濃。他們中午回來，在市場上出售新鮮的魚。孩子們幫忙搬箱子，得到熱
騰騰的麵包。從前這裡住著更多的人，但是年輕人都去了城市。留下來的只有房子、花園和一條穿過樹林的小路。沒有
人知道以後會怎麼樣，老人們說：「冬天過去，春天總會來的。」於是大家繼續工作，等待下一個季節。
""",
    "japanese": """
朝早く、まだ霧が深いうちに漁師たちは湖へ出て行きます。昼ごろに戻り、市場で新鮮な魚を売ります。子供たちは
箱を運ぶのを手伝い、温かいパンをもらいます。昔はここにもっと多くの人が住んでいましたが、若い人たちは町へ
行ってしまいました。残ったのは家と庭と、森を通る小さな道だけです。これからどうなるのか、誰にも分かりませ
ん。
""",
    "korean": """
이른 아침, 안개가 아직 짙은데도 어부들은 호수로 나갑니다. 그들은 점심 무렵에 돌아와 시장에서 신선한
생선을 팝니다. 아이들은 상자를 나르는 것을 돕고 따뜻한 빵을 받습니다. 예전에는 이곳에 더 많은 사람이
살았지만 젊은이들은 도시로 떠났습니다. 남은 것은 집과 정원, 그리고 숲을 지나는 작은 길뿐입니다. 앞으로
어떻게 될지는 아무도 모릅니다.
""",
    "english": """
The fishermen leave for the lake early, although the fog is still thick – “thicker than soup”, as one of them
says. They’re back at noon and sell fresh fish for €12 or £10 a kilo… Nobody bargains. The café’s owner buys
most of it; the rest goes to the “old people” up the hill.
""",
}
