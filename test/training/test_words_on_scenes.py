"""The shipped words model on generated scenes that its training never saw."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.training.scenes import Kind, render


@pytest.fixture(scope="module")
def model():
    return ModelStore().load_words("starter_words")


@pytest.mark.parametrize(
    ("theme", "word", "kind"),
    [
        ("district", "building", Kind.BUILDING),
        ("woods", "tree", Kind.TREE),
        ("wetland", "water", Kind.WATER),
        ("harbour", "boat", Kind.SHIP),
        ("district", "road", Kind.ROAD),
    ],
)
def test_a_word_is_hotter_where_it_is_right(model, theme, word, kind):
    inside, outside = [], []
    for seed in range(900_000_000, 900_000_006):
        scene = render(seed, 320, theme)
        image = (np.clip(scene.rgb, 0, 1) * 255).astype(np.uint8)
        (heat,) = model.find(image, [word], NullProgress())
        share = (scene.kinds == kind).reshape(80, 4, 80, 4).mean(axis=(1, 3))
        inside.append(heat.values[share == 1])
        outside.append(heat.values[share == 0])
    assert np.concatenate(inside).mean() > np.concatenate(outside).mean() + 0.2
