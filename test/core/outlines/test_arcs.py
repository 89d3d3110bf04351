from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as some
from prompt_segmenter.core.outlines.arcs import mesh_of

LABELS = st.tuples(st.integers(1, 8), st.integers(1, 8)).flatmap(
    lambda shape: some.arrays(np.int32, shape, elements=st.integers(-1, 3))
)


@given(LABELS)
@settings(deadline=None, max_examples=200)
def test_each_arc_is_run_through_once_in_each_direction(labels):
    mesh = mesh_of(np.pad(labels, 1, constant_values=-1))
    used = [one for region in mesh.regions for ring in region.rings for one in ring]
    assert len(used) == len(set(used))
    # The rim's own outer side is nobody's other side.
    outer = {arc for arc, _ in used if (arc, True) not in used or (arc, False) not in used}
    for arc in outer:
        corners = mesh.arcs[arc]
        assert corners.min() == 0 or (corners.max(axis=0) >= np.array(labels.shape[::-1]) + 2).any()


@given(LABELS)
@settings(deadline=None)
def test_regions_have_the_area_of_their_pixels(labels):
    full = np.pad(labels, 1, constant_values=-1)
    mesh = mesh_of(full)
    for label in np.unique(full).tolist():
        area = sum(region.area_px for region in mesh.regions if region.label == label)
        assert area == (full == label).sum()


def test_where_two_borders_cross_four_arcs_end():
    labels = np.array([[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]], np.int32)
    mesh = mesh_of(np.pad(labels, 1, constant_values=-1))
    ends = [tuple(point) for arc in mesh.arcs for point in (arc[0].tolist(), arc[-1].tolist())]
    assert ends.count((3.0, 3.0)) == 4
    assert ends.count((1.0, 1.0)) == 2


def test_a_border_without_a_node_is_one_closed_arc():
    labels = np.ones((5, 5), np.int32)
    labels[2, 2] = 2
    mesh = mesh_of(np.pad(labels, 1, constant_values=-1))
    closed = [number for number in mesh.free if len(mesh.arcs[number]) == 5 and mesh.arcs[number].min() > 0]
    assert len(closed) == 1
    uses = [back for region in mesh.regions for ring in region.rings for arc, back in ring if arc == closed[0]]
    assert sorted(uses) == [False, True]
