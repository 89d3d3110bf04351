from __future__ import annotations

import pytest
from prompt_segmenter.test.algorithms.conftest import centre
from prompt_segmenter.test.helpers.processing_run import Recorder, run

pytestmark = pytest.mark.usefixtures("fake_model")


@pytest.mark.parametrize("at", ["Looking for the range of values", "Object 1 of 2", "Object 2 of 2"])
def test_a_cancelled_run_ends_quietly_and_writes_nothing(scene, tmp_path, at):
    path = tmp_path / "out.gpkg"
    points = ", ".join("({} {})".format(*centre(name)) for name in "ab")

    outcome = run(
        Recorder(cancel_at=at),
        INPUT=scene,
        INCLUDE=f"MultiPoint ({points})",
        OBJECTS="each_point",
        OUTPUT=str(path),
    )

    assert outcome.error == ""
    assert outcome.results == {}
    assert outcome.log.endswith("Cancelled; nothing was written.")
    assert not path.exists()


def test_a_run_that_is_cancelled_before_it_starts_does_nothing(scene):
    feedback = Recorder()
    feedback.cancel()

    outcome = run(feedback, INPUT=scene, INCLUDE="Point ({} {})".format(*centre("a")))

    assert outcome.error == ""
    assert outcome.results == {}


def test_progress_grows_to_the_end(scene):
    feedback = Recorder()
    seen = []
    feedback.progressChanged.connect(seen.append)

    run(feedback, INPUT=scene, INCLUDE="Point ({} {})".format(*centre("a")))

    assert seen == sorted(seen)
    assert 90 <= seen[-1] <= 100
