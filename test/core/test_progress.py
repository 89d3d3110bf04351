from __future__ import annotations

import pytest
from prompt_segmenter.core.errors import Cancelled, SegmentError
from prompt_segmenter.core.progress import NullProgress, SubProgress, check


class Recorder:
    def __init__(self, cancelled=False):
        self.reports = []
        self.cancelled = cancelled

    def report(self, fraction, message=""):
        self.reports.append((fraction, message))

    def is_cancelled(self):
        return self.cancelled


def test_a_share_of_a_share_maps_into_the_parent():
    parent = Recorder()
    second_half = SubProgress(parent, 0.5, 1.0)

    SubProgress(second_half, 0.0, 0.5).report(1.0, "half way through the second half")
    second_half.report(7.0)

    assert parent.reports == [(0.75, "half way through the second half"), (1.0, "")]


def test_check_raises_only_when_cancelled_and_passes_the_question_up():
    check(SubProgress(NullProgress(), 0, 1))
    with pytest.raises(Cancelled):
        check(SubProgress(Recorder(cancelled=True), 0, 1))


def test_cancelled_is_not_an_error_of_the_family():
    assert not issubclass(Cancelled, SegmentError)


def test_an_error_reads_as_what_happened_and_what_to_do():
    assert str(SegmentError("It broke at 3.", hint="Mend it.")) == "It broke at 3. Mend it."
    assert str(SegmentError("It broke.")) == "It broke."
