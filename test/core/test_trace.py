"""The one line that says how a look was come by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_segmenter.core.errors import SettingsError
from prompt_segmenter.core.raster.grid import Window
from prompt_segmenter.core.trace import Trace
from prompt_segmenter.core.window import View

numbers = st.integers(0, 10**7)
sizes = st.integers(1, 10**6)
views = st.builds(View, st.builds(Window, numbers, numbers, sizes, sizes), st.tuples(sizes, sizes))


@given(st.builds(Trace, views, st.none() | views, st.none() | numbers, st.none() | numbers))
def test_any_trace_that_is_written_out_is_read_back(trace):
    assert Trace.parse(trace.text()) == trace


def test_what_older_results_say_is_a_view_looked_at_with_all_prompts_together():
    trace = Trace.parse("10,20,300,200@192x128")
    assert trace == Trace(View(Window(10, 20, 300, 200), (192, 128)))


@pytest.mark.parametrize("text", ["", "10,20,300,200", "10,20,300,200@0x128", "-1,0,3,4@3x4", "1,2,3,4@3x4 in the sea"])
def test_text_that_is_no_trace_is_refused_with_where_to_find_one(text):
    with pytest.raises(SettingsError, match="window"):
        Trace.parse(text)
