from __future__ import annotations

import math

import numpy as np
import pytest
from prompt_segmenter.core.terrain.crater import Crater
from prompt_segmenter.core.terrain.landform_class import Range, VolcanoClass, classify
from prompt_segmenter.core.terrain.morphometry import Morphometry


def measures(width, height, slope, top=0.1, concavity=1.0):
    return Morphometry(
        summit_m=height,
        height_m=height,
        base_width_m=width,
        summit_width_m=top * width,
        mean_slope_deg=slope,
        max_slope_deg=slope,
        concavity=concavity,
        ellipticity=1.1,
        irregularity=1.05,
        volume_m3=1.0,
    )


CRATER = Crater(np.array([100.0]), np.array([0.0]), (0.0, 0.0), 200.0, 40.0, False)


@pytest.mark.parametrize(
    ("name", "kind", "given", "crater"),
    [
        ("Fuji", VolcanoClass.STRATOVOLCANO, measures(30_000.0, 3_300.0, 15.0, concavity=2.0), CRATER),
        ("Mayon", VolcanoClass.STRATOVOLCANO, measures(15_000.0, 2_300.0, 20.0, concavity=2.5), None),
        ("Sunset Crater", VolcanoClass.CINDER_CONE, measures(1_600.0, 300.0, 27.0, top=0.3), CRATER),
        ("Paricutin", VolcanoClass.CINDER_CONE, measures(950.0, 220.0, 29.0, top=0.28), CRATER),
        ("Skjaldbreidur", VolcanoClass.SHIELD, measures(10_000.0, 550.0, 7.0), CRATER),
        ("Mauna Loa above the sea", VolcanoClass.SHIELD, measures(90_000.0, 4_100.0, 5.0), CRATER),
        ("Puy de Dome", VolcanoClass.DOME, measures(1_700.0, 450.0, 30.0, top=0.5, concavity=0.5), None),
    ],
)
def test_well_known_volcanoes_get_their_class(name, kind, given, crater):
    found = classify(given, crater, partial=False)

    assert found.kind is kind, f"{name}: {found}"
    assert found.confidence > 0.0
    assert "wide" in found.reasons


def test_what_no_volcano_is_like_is_uncertain():
    found = classify(measures(3_000.0, 1_800.0, 50.0), None, partial=False)

    assert found.kind is VolcanoClass.UNCERTAIN
    assert found.confidence == 0.0
    assert "no published class" in found.reasons


def test_a_partial_volcano_is_half_as_sure():
    whole = classify(measures(15_000.0, 2_300.0, 20.0), None, partial=False)
    part = classify(measures(15_000.0, 2_300.0, 20.0), None, partial=True)

    assert part.confidence == pytest.approx(whole.confidence / 2.0)


def test_a_range_has_soft_ends():
    extent = Range((1.0, 2.0, 4.0, 8.0))

    assert [extent.membership(value) for value in (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 9.0)] == [
        0.0, 0.0, 0.5, 1.0, 1.0, 1.0, 0.5, 0.0, 0.0,
    ]  # fmt: skip
    assert extent.membership(math.nan) == 1.0
