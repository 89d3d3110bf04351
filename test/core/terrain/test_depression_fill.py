from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.errors import Cancelled
from prompt_segmenter.core.terrain.depression_fill import filled


def test_a_pit_is_filled_to_the_lowest_way_out():
    ground = np.full((7, 7), 10.0)
    ground[2:5, 2:5] = 4.0
    ground[3, 5:] = 6.0

    surface = filled(ground)

    assert (surface[2:5, 2:5] == 6.0).all()
    assert (surface[ground > 6.0] == 10.0).all()


def test_water_leaves_diagonally():
    ground = np.full((5, 5), 9.0)
    ground[2, 2], ground[1, 1], ground[0, 0] = 1.0, 2.0, 3.0

    assert filled(ground)[2, 2] == 3.0


def test_water_leaves_at_nodata_and_nodata_stays():
    ground = np.full((7, 7), 9.0)
    ground[3, 3], ground[3, 4] = 1.0, np.nan

    surface = filled(ground)

    assert surface[3, 3] == 1.0
    assert np.isnan(surface[3, 4])
    assert np.isfinite(np.delete(surface.ravel(), 3 * 7 + 4)).all()


def test_a_slope_is_left_as_it_is():
    ground = np.add.outer(np.arange(6.0), 2.0 * np.arange(8.0))

    assert (filled(ground) == ground).all()


def test_it_stops_on_request():
    class Stopped:
        def report(self, fraction, message=""):
            pass

        def is_cancelled(self):
            return True

    with pytest.raises(Cancelled):
        filled(np.zeros((400, 400)), Stopped())
