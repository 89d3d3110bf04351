"""The closed vocabulary of the embedded words model, in six languages."""

from __future__ import annotations

import pytest
from prompt_segmenter.core.models.synonyms import LANGUAGES, SYNONYMS
from prompt_segmenter.core.models.vocabulary import WORDS, meaning, names_of, nearest

ASKED = {
    "building": ["building", "houses", "Häuser", "GEBÄUDE", "bâtiments", "maison", "edificios", "prédio", "case"],
    "tree": ["trees", "Bäume", "Wald", "arbres", "árboles", "arboles", "árvore", "alberi"],
    "grass": ["lawn", "Wiesen", "pelouse", "césped", "relva", "prato"],
    "field": ["farm fields", "Äcker", "champs", "cultivos", "lavoura", "campi coltivati"],
    "bare soil": ["bare ground", "Boden", "sol nu", "suelo desnudo", "solo exposto", "suolo nudo"],
    "water": ["lake", "Gewässer", "l'eau", "plan d’eau", "ríos", "lagoa", "laghi"],
    "pool": ["swimming pools", "Schwimmbecken", "piscine", "piscinas", "PISCINA"],
    "road": ["streets", "Straßen", "STRASSE", "routes", "carretera", "estradas", "strada"],
    "pavement": ["parking lot", "Asphalt", "bitume", "asfalto", "estacionamento", "parcheggi"],
    "vehicle": ["cars", "Lkw", "voitures", "coches", "caminhões", "macchina"],
    "boat": ["ship", "Schiffe", "bateaux", "buque", "navio", "barche"],
    "airplane": ["aircraft", "Flugzeuge", "avions", "avión", "aviões", "aereo"],
    "tank": ["storage tanks", "Öltank", "citerne", "tanques", "depósitos", "serbatoi"],
    "sports ground": ["tennis court", "Fußballplatz", "terrains de sport", "canchas", "quadra", "campo da calcio"],
    "solar panel": ["solar panels", "Solaranlage", "panneaux solaires", "paneles solares", "painéis solares"],
    "cloud": ["clouds", "Wolken", "nuages", "nubes", "nuvens", "nuvole"],
}


def test_the_words_of_the_issue_are_known():
    assert {"building", "tree", "water", "field", "road", "bare soil", "vehicle", "pool"} <= set(WORDS)
    assert set(ASKED) == set(WORDS)


@pytest.mark.parametrize(("word", "phrase"), [(word, phrase) for word, phrases in ASKED.items() for phrase in phrases])
def test_a_word_is_known_in_every_language(word, phrase):
    assert meaning(phrase) == word


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_has_a_name_in_every_language_and_its_names_mean_it(word, language):
    names = names_of(word, language)
    assert all(names)
    assert len(set(names)) == len(names)
    assert {meaning(name) for name in names} == {word}


def test_no_name_means_two_words():
    seen = {}
    for word, named in SYNONYMS.items():
        for language in named:
            for name in names_of(word, language):
                assert seen.setdefault(name.casefold(), word) == word, name


@pytest.mark.parametrize("phrase", ["  the  Houses! ", "die Häuser", "LES MAISONS", "una casa", "swimming-pool"])
def test_case_articles_and_punctuation_make_no_difference(phrase):
    assert meaning(phrase) in {"building", "pool"}


@pytest.mark.parametrize("phrase", ["zebra", "red", "", "   ", "???", "building 7", "建物", "the"])
def test_what_is_not_in_the_list_means_nothing(phrase):
    assert meaning(phrase) is None


@pytest.mark.parametrize(
    ("phrase", "near"),
    [("bulding", "building"), ("swiming pol", "swimming pool"), ("arbres verts", "arbres"), ("big red house", "house")],
)
def test_a_slip_of_the_pen_is_answered_with_the_known_word(phrase, near):
    assert nearest(phrase) == near


def test_nothing_is_suggested_for_what_is_like_nothing():
    assert nearest("zebra") is None
    assert nearest("") is None
