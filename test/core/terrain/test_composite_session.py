"""Clicks on a mountain: the session takes a composite like any picture, and its polygons say how it was made."""

from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.prompts.point import PointPrompt
from prompt_segmenter.core.prompts.prompt import PromptSet
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.core.session import SegmentationSession
from prompt_segmenter.core.terrain.composite import RECIPES, CompositeSettings
from prompt_segmenter.core.terrain.composite_source import CompositeSource, parse
from prompt_segmenter.test.core.terrain.test_metric_recipe import UTM, relief
from prompt_segmenter.test.helpers.fake_model import SameBrightness


@pytest.mark.parametrize("recipe", RECIPES.names())
def test_a_click_on_a_slope_outlines_what_is_as_steep_and_tells_the_recipe(recipe):
    heights = relief(UTM, 0.0)
    with_source = CompositeSource(ArraySource(heights[None], UTM), CompositeSettings(recipe))
    session = SegmentationSession(with_source, SameBrightness())
    x, y = UTM.to_map([(190.0, 150.0)])[0]
    result = session.segment([PromptSet((PointPrompt(x, y),), "EPSG:32633")])
    assert len(result.polygons) == 1 and result.polygons[0].area_m2 > 0
    text = session.provenance().stretch
    assert f" composite={recipe} " in text
    settings, elevation = parse(text)
    assert settings.recipe == recipe and elevation.band == 1


def test_the_metric_recipe_outlines_the_cone_of_one_slope():
    """A cone of 900 m at 0.4 m per m is 2,250 m wide on each side; the smoothing by 60 m softens its lowest 150."""
    heights = relief(UTM, 0.0)
    composite = CompositeSource(ArraySource(heights[None], UTM))
    x, y = UTM.to_map([(200.0 + 500.0 / 30.0 + 30.0, 150.0)])[0]
    session = SegmentationSession(composite, SameBrightness())
    (found,) = session.segment([PromptSet((PointPrompt(x, y),), "EPSG:32633")]).polygons
    assert found.area_m2 == pytest.approx(np.pi * 2100.0**2, rel=0.03)
