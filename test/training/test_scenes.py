"""The scene generator: what it promises to the training, theme by theme."""

from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.training.degrade import blank, degrade
from prompt_segmenter.training.scenes import THEMES, render

SIZE = 160


@pytest.mark.parametrize("theme", THEMES)
def test_a_scene_is_the_same_for_the_same_seed_and_another_for_another(theme):
    once, again, other = render(7, SIZE, theme), render(7, SIZE, theme), render(8, SIZE, theme)
    assert np.array_equal(once.rgb, again.rgb)
    assert np.array_equal(once.labels, again.labels)
    assert not np.array_equal(once.rgb, other.rgb)


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_paints_finite_colours_and_objects_that_can_be_asked_for(theme):
    usable = 0
    for seed in range(6):
        scene = render(seed, SIZE, theme)
        assert scene.rgb.shape == (SIZE, SIZE, 3)
        assert np.isfinite(scene.rgb).all()
        assert scene.rgb.min() >= 0.0
        _, areas = np.unique(scene.labels[scene.labels > 0], return_counts=True)
        usable += int((areas >= 45).sum())
    assert usable >= 6


@pytest.mark.parametrize("theme", ["town", "rows", "hall", "plant"])
def test_outlines_lie_where_colours_change(theme):
    """A fault in a label costs more than a missing theme: the image must change across what labels call an outline."""
    across, within = [], []
    for seed in range(8):
        scene = render(seed, SIZE, theme)
        step = np.abs(np.diff(scene.rgb, axis=1)).sum(axis=2)
        outline = scene.labels[:, 1:] != scene.labels[:, :-1]
        across.append(step[outline].mean())
        within.append(step[~outline].mean())
    assert np.mean(across) > 2 * np.mean(within)


def test_a_tree_that_stands_alone_does_not_own_its_shadow():
    darker = []
    for seed in range(12):
        scene = render(seed, SIZE, "savanna")
        ground = scene.rgb.mean(axis=2)[scene.labels == 0]
        darker.append(np.quantile(ground, 0.02) / np.median(ground))
    assert np.median(darker) < 0.8  # dark ground is left that no object owns


def test_themes_come_as_often_as_their_shares_say():
    names = [render(seed, 64).theme for seed in range(300)]
    total = sum(share for share, _ in THEMES.values())
    for name, (share, _) in THEMES.items():
        expected = 300 * share / total
        assert abs(names.count(name) - expected) < 4 * np.sqrt(expected) + 1


def test_sensors_and_files_keep_the_size_and_the_objects_place():
    image = np.zeros((96, 96, 3), np.float32)
    image[30:60, 40:70] = 0.9
    middles = []
    for seed in range(40):
        worn = degrade(image + 0.05, np.random.default_rng(seed))
        assert worn.shape == image.shape
        assert worn.dtype == np.uint8
        light = worn.astype(float).sum(axis=2)
        light = abs(light - np.median(light))
        rows, cols = np.nonzero(light > 0.5 * light.max())
        middles.append((rows.mean(), cols.mean()))
    assert np.allclose(np.median(middles, axis=0), (44.5, 54.5), atol=0.5)


def test_missing_data_blanks_a_side_and_leaves_the_image_given_alone():
    image = np.full((64, 64, 3), 100, np.uint8)
    seen = [blank(image, np.random.default_rng(seed)) for seed in range(200)]
    blanked = [one for one in seen if (one != 100).any()]
    assert 1 <= len(blanked) <= 30
    assert (image == 100).all()
    for one in blanked:
        changed = (one != 100).any(axis=2)
        assert changed.all(axis=0).any() or changed.all(axis=1).any()
