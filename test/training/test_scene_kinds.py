"""What each pixel of a scene shows, kept beside the objects without changing what is painted."""

from __future__ import annotations

import zlib
from itertools import islice

import numpy as np
import pytest
from prompt_segmenter.core.models.vocabulary import WORDS as KNOWN
from prompt_segmenter.training.scenes import MORE, THEMES, Kind, render
from prompt_segmenter.training.words.targets import CELL, WORDS, shares, tables
from prompt_segmenter.training.words.views import SHARES, views

SIZE = 160
BEFORE = {
    "town": (2054371383, 0.46623, 0.13749),
    "hall": (4272050112, 0.38163, 0.12636),
    "rows": (3318711768, 0.51715, 0.23048),
    "wetland": (3180499765, 0.44459, 0.13630),
    "woods": (3936878846, 0.34289, 0.20669),
    "savanna": (4173125607, 0.55763, 0.09723),
    "fields": (698060758, 0.41431, 0.17539),
    "pivots": (3338992281, 0.51571, 0.15864),
    "orchard": (3575646904, 0.32606, 0.13118),
    "harbour": (183102775, 0.37302, 0.16828),
    "apron": (3849066666, 0.55411, 0.09756),
    "plant": (1623625742, 0.40175, 0.14525),
    "park": (2559255300, 0.32687, 0.13096),
    "leaves": (159307498, 0.40708, 0.28675),
    "nested": (1221804419, 0.32191, 0.16101),
    "relief": (2771640658, 0.55012, 0.25732),
}
"""CRC-32 of the labels of scene 5 at 160 px, mean and deviation of its colours: as they were before kinds were kept."""


@pytest.mark.parametrize("theme", THEMES)
def test_keeping_kinds_changed_no_image_that_the_starter_model_was_trained_on(theme):
    scene = render(5, SIZE, theme)
    checksum, mean, spread = BEFORE[theme]
    assert zlib.crc32(scene.labels.tobytes()) == checksum
    assert scene.rgb.mean() == pytest.approx(mean, abs=2e-5)
    assert scene.rgb.std() == pytest.approx(spread, abs=2e-5)


def test_themes_of_the_words_come_only_when_they_are_asked_for():
    assert not set(MORE) & set(THEMES)
    assert set(SHARES) <= {*THEMES, *MORE}
    assert {render(seed, 64).theme for seed in range(60)} <= set(THEMES)


@pytest.mark.parametrize("theme", [*THEMES, *MORE])
def test_every_pixel_has_a_kind_and_an_object_is_not_bare_ground_by_oversight(theme):
    scene = render(3, SIZE, theme)
    assert scene.kinds.shape == (SIZE, SIZE)
    assert scene.kinds.dtype == np.uint8
    assert scene.kinds.max() <= max(Kind)
    if theme in ("leaves", "nested"):
        assert (scene.kinds == Kind.UNSURE).all()
    elif theme == "relief":
        assert (scene.kinds == Kind.OTHER).all()
    else:
        nothing = (scene.kinds == Kind.OTHER) & (scene.labels > 0)
        assert nothing.mean() < 0.02


@pytest.mark.parametrize(
    ("theme", "kinds"),
    [
        ("town", {Kind.BUILDING}),
        ("woods", {Kind.TREE}),
        ("wetland", {Kind.WATER}),
        ("fields", {Kind.FIELD}),
        ("harbour", {Kind.WATER, Kind.SHIP}),
        ("apron", {Kind.PAVED}),
        ("plant", {Kind.TANK}),
        ("park", {Kind.COURT}),
        ("district", {Kind.BUILDING, Kind.ROAD}),
    ],
)
def test_a_theme_shows_what_it_is_named_after(theme, kinds):
    assert kinds <= set(np.unique(render(3, SIZE, theme).kinds))


def test_a_house_is_a_building_and_its_shadow_is_the_ground_it_falls_on():
    scene = render(11, SIZE, "hall")
    for label in np.unique(scene.labels[scene.kinds == Kind.BUILDING]):
        whole = scene.kinds[scene.labels == label]
        assert (whole == Kind.BUILDING).all()
    ground = scene.kinds[scene.labels == 0]
    assert set(np.unique(ground)) <= {Kind.GRASS, Kind.SOIL, Kind.PAVED}


def test_a_window_has_kinds_of_its_size_and_is_the_same_for_the_same_seed():
    first, again = (list(islice(views(3, 96), 4)) for _ in range(2))
    for one, other in zip(first, again):
        assert one.image.shape == (96, 96, 3)
        assert one.kinds.shape == (96, 96)
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.kinds, other.kinds)
    assert any(len(one.themes) == 4 for one in first) or any(len(one.themes) == 1 for one in first)


def test_shares_of_a_cell_add_up_to_one():
    kinds = next(views(4, 64)).kinds
    found = shares(kinds)
    assert found.shape == (len(Kind), 64 // CELL, 64 // CELL)
    assert abs(found.astype(int).sum(axis=0) - 255).max() <= len(Kind) // 2
    row, col = 5, 9
    cell = kinds[row * CELL : (row + 1) * CELL, col * CELL : (col + 1) * CELL]
    for kind in Kind:
        assert found[kind, row, col] / 255 == pytest.approx((cell == kind).mean(), abs=0.003)


def test_the_words_are_those_of_the_plugin_and_each_is_right_for_some_kind():
    assert WORDS == KNOWN
    right, known = tables()
    assert (right.sum(axis=1) >= 1).all()
    assert not (right * (1 - known)).any()
    assert right[WORDS.index("water"), Kind.POOL] == right[WORDS.index("pool"), Kind.POOL] == 1
    assert not known[:, Kind.UNSURE].any()
    assert not right[:, Kind.OTHER].any()
