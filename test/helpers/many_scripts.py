"""Two hundred phrases: what people may look for in an image, in many scripts, with digits, accents and oddities."""

from __future__ import annotations

_LINES = """
building; tree; swimming pool; solar panel; parked car; road; bare soil; Red Roof; tennis court; storage tank
the house's roof; they're boats; we've 3 ships; don't; o'clock tower; rock'n'roll; it'll rain; I'm here; he'd go; cats'
2 pools; 12 cars; 100m track; B52; route 66; 3.5 t; 1,000 trees; no. 7; 50%; #1
maison; forêt; étang; château; piscine à débordement; œuvre; garçon; là-bas; l'église; août 2024
Gebäude; Straße; Bäume; Größe; Fußballplatz; Häuser am See; Öltank; grüne Wiese; weiße Dächer; Überschwemmung
edificio; árbol; montaña; piscina; camión; niño; ¿dónde?; ¡agua!; viñedo; jardín botánico
casa; città; perché; è verde; papà; caffè; più alberi; lago di Garda; università; campo da calcio
edifício; árvore; praia; avião; plantação; maçã; pão; coração; São Paulo; água
budynek; drzewo; jezioro; łąka; źródło; ćma; żółty dach; święto; dąb; gęś
dům; strom; řeka; příliš žluťoučký kůň; letiště; šedá; čtyři; ůž; ďábel; ťukat
ház; fa; víz; erdő; út; tető; ű; ő; gyümölcsös; szőlőskert
bina; ağaç; yüzme havuzu; çatı; İstanbul; ışık; şehir; göl; DIŞ; ÖĞRENCİ
здание; дерево; дорога; бассейн; красная крыша; река Волга; ёлка; подъезд; Щука; 5 машин
будівля; дерево; вода; їжак; ґанок; єдність; поле; ліс; міст; річка
κτίριο; δέντρο; πισίνα; δρόμος; θάλασσα; Ελλάδα; ΟΔΟΣ; ψάρι; νησί; ἀρχή
建物; 木; プール; 道路; 赤い屋根; 車; ビニールハウス; 田んぼ; ｶﾀｶﾅ; 富士山２
建筑物; 树; 游泳池; 道路; 红色屋顶; 停车场; 湖泊; 農田; 太陽能板; 第3号
건물; 나무; 수영장; 도로; 빨간 지붕; 자동차; 호수; 논밭; 한국어; 서울 3
مبنى; شجرة; مسبح; طريق; سقف أحمر; سيارة; بحيرة; حقل; ٣ سيارات; الأرض
בניין; עץ; בריכה; כביש; גג אדום; מכונית; אגם; שדה; קִרְיָה; ים המלח
इमारत; पेड़; सड़क; तालाब; लाल छत; गाड़ी; नदी; खेत; हिन्दी; ३ घर
อาคาร; ต้นไม้; สระว่ายน้ำ; ถนน; หลังคาแดง; รถ; ทะเลสาบ; นา; ภาษาไทย; ๓ หลัง
tòa nhà; cây; hồ bơi; đường; mái đỏ; xe; ruộng lúa; Việt Nam; nước; rừng
კახეთი; շենք; வீடு; ఇల్లు; ಮನೆ; വീട്; ঘর; ਘਰ; ቤት; ᎣᏏᏲ
x\u0301; e\u0301tang; \ufb01eld; \u201cquoted\u201d; it\u2019s; \uff30\uff4f\uff4f\uff4c
R&amp;D; a&lt;b; \U0001f3e0 house; caf\u00e9\u200d\u2615
"""

PHRASES = tuple(phrase.strip() for line in _LINES.strip().split("\n") for phrase in line.split("; "))
