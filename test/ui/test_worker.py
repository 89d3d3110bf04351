from __future__ import annotations

import threading
import time

import pytest
from prompt_segmenter.core.errors import Cancelled, ModelRunError
from prompt_segmenter.ui.worker import Job, Urgency, Worker
from pytest_qgis.utils import wait
from qgis.core import QgsApplication


def until(condition, timeout_s=30.0):
    """Spin the event loop until something is true."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it did not become true in time"
        wait(5)


class Log:
    """What a worker said, in order."""

    def __init__(self, worker):
        self.said, self.threads = [], set()
        worker.answered.connect(lambda job, result: self._note("answered", job, result))
        worker.failed.connect(lambda job, error: self._note("failed", job, error))
        worker.cancelled.connect(lambda job: self._note("cancelled", job, None))

    def _note(self, what, job, value):
        self.said.append((what, job.title, value))
        self.threads.add(threading.current_thread())


@pytest.fixture
def worker(qgis_app):
    worker = Worker()
    yield worker
    assert worker.close()


@pytest.fixture
def log(worker):
    return Log(worker)


class Blocked:
    """Work that lasts until it is let go or cancelled."""

    def __init__(self):
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, progress):
        self.begun.set()
        while not self.go.wait(0.002):
            if progress.is_cancelled():
                raise Cancelled("stopped")
        return "done"


def job(title, urgency=Urgency.CLICK, work=None, about=None):
    return Job(work or (lambda progress: title), urgency, title, about)


def test_an_answer_comes_to_the_thread_of_the_window_from_another_one(worker, log):
    worked_in = []
    worker.submit(job("a", work=lambda progress: worked_in.append(threading.current_thread()) or 42))
    until(lambda: log.said)

    assert log.said == [("answered", "a", 42)]
    assert log.threads == {threading.current_thread()}
    assert worked_in[0] is not threading.current_thread()


def test_clicks_go_before_the_pointer_and_that_before_encoding_ahead(worker, log):
    first = Blocked()
    worker.submit(job("first", work=first))
    worker.submit(job("ahead", Urgency.AHEAD))
    worker.submit(job("hover", Urgency.HOVER))
    # a click would stop them; it is in the mailbox before
    with worker._wake:
        worker._clicks.append(job("click"))
    first.go.set()
    until(lambda: len(log.said) == 4)

    assert [title for _, title, _ in log.said] == ["first", "click", "hover", "ahead"]


@pytest.mark.parametrize("urgency", [Urgency.HOVER, Urgency.AHEAD])
def test_a_click_stops_running_and_waiting_speculation_at_once(worker, log, urgency):
    running = Blocked()
    worker.submit(job("running", urgency, running))
    assert running.begun.wait(30)
    worker.submit(job("waiting", Urgency.AHEAD if urgency is Urgency.HOVER else Urgency.HOVER))
    worker.submit(job("click"))
    until(lambda: len(log.said) == 3)

    assert ("answered", "click", "click") in log.said
    assert {entry for entry in log.said if entry[0] == "cancelled"} == {
        ("cancelled", "running", None),
        ("cancelled", "waiting", None),
    }


def test_a_press_alone_makes_speculation_give_way_and_leaves_clicks(worker, log):
    running = Blocked()
    worker.submit(job("ahead", Urgency.AHEAD, running))
    assert running.begun.wait(30)
    worker.give_way()
    until(lambda: log.said)
    click = Blocked()
    worker.submit(job("click", work=click))
    assert click.begun.wait(30)
    worker.give_way()
    click.go.set()
    until(lambda: len(log.said) == 2)

    assert log.said == [("cancelled", "ahead", None), ("answered", "click", "done")]


def test_of_several_places_pointed_at_only_the_last_is_answered(worker, log):
    running = Blocked()
    worker.submit(job("1", Urgency.HOVER, running))
    assert running.begun.wait(30)
    for number in "2345":
        worker.submit(job(number, Urgency.HOVER))
    until(lambda: len(log.said) == 5)

    assert [entry for entry in log.said if entry[0] == "answered"] == [("answered", "5", "5")]


def test_the_pointer_does_not_stop_encoding_ahead(worker, log):
    running = Blocked()
    worker.submit(job("ahead", Urgency.AHEAD, running))
    assert running.begun.wait(30)
    worker.submit(job("hover", Urgency.HOVER))
    running.go.set()
    until(lambda: len(log.said) == 2)

    assert log.said == [("answered", "ahead", "done"), ("answered", "hover", "hover")]


def test_a_waiting_click_is_replaced_by_a_later_one_about_the_same_object_only(worker, log):
    running = Blocked()
    worker.submit(job("1", about=1, work=running))
    assert running.begun.wait(30)
    worker.submit(job("2", about=1))
    worker.submit(job("other", about=2))
    worker.submit(job("3", about=1))
    running.go.set()
    until(lambda: len(log.said) == 4)

    assert log.said == [
        ("cancelled", "2", None),
        ("answered", "1", "done"),
        ("answered", "other", "other"),
        ("answered", "3", "3"),
    ]


def test_an_error_is_delivered_whatever_it_is_and_the_next_job_is_done(worker, log, caplog):
    def fail(progress):
        raise ModelRunError("The graph failed.")

    def break_down(progress):
        raise ZeroDivisionError("a bug")

    worker.submit(job("a", work=fail))
    worker.submit(job("b", work=break_down))
    worker.submit(job("c"))
    until(lambda: len(log.said) == 3)

    assert [(what, title) for what, title, _ in log.said] == [("failed", "a"), ("failed", "b"), ("answered", "c")]
    assert isinstance(log.said[0][2], ModelRunError)
    assert isinstance(log.said[1][2], ZeroDivisionError)


def test_a_result_that_comes_in_spite_of_a_cancellation_is_dropped_unread(worker, log):
    begun, go = threading.Event(), threading.Event()

    def deaf(progress):
        begun.set()
        go.wait(5)
        return "late"

    asked = worker.submit(job("deaf", work=deaf))
    assert begun.wait(30)
    asked.cancel()
    go.set()
    until(lambda: log.said)

    assert log.said == [("cancelled", "deaf", None)]


def test_after_closing_nothing_runs_nothing_is_said_and_the_thread_is_gone(worker, log):
    running = Blocked()
    worker.submit(job("running", work=running))
    assert running.begun.wait(30)
    begun = time.monotonic()

    assert worker.close()
    assert time.monotonic() - begun < 1.0
    late = worker.submit(job("late"))
    wait(50)
    assert late.is_cancelled()
    assert late.finished.is_set()
    assert not worker.is_busy
    assert [entry for entry in log.said if entry[0] != "cancelled"] == []
    assert "prompt_segmenter" not in [thread.name for thread in threading.enumerate()]


def test_closing_does_not_wait_for_work_that_hears_nothing(qgis_app):
    worker, go = Worker(), threading.Event()
    begun = threading.Event()
    worker.submit(job("deaf", work=lambda progress: begun.set() or go.wait(5)))
    assert begun.wait(30)

    started = time.monotonic()
    assert not worker.close(wait_s=0.1)
    assert time.monotonic() - started < 1.0
    go.set()


def test_work_that_lasts_is_in_the_task_manager_with_its_progress(worker, log):
    manager = QgsApplication.taskManager()
    running = Blocked()

    def half(progress):
        progress.report(0.5, "Encoding the view")
        return running(progress)

    told = []
    worker.progressed.connect(lambda job: told.append((job.fraction, job.message)))
    worker.submit(job("Outline an object", work=half))
    until(manager.activeTasks)
    (task,) = manager.activeTasks()
    assert task.description() == "Outline an object"
    until(lambda: task.progress() == 50.0)
    assert told == [(0.5, "Encoding the view")]

    running.go.set()
    until(lambda: not manager.activeTasks() and log.said)
    assert log.said == [("answered", "Outline an object", "done")]
    until(lambda: not worker._tasks)


def test_the_task_managers_cancel_stops_the_work(worker, log):
    manager = QgsApplication.taskManager()
    running = Blocked()
    worker.submit(job("long", work=running))
    until(manager.activeTasks)

    manager.activeTasks()[0].cancel()
    until(lambda: log.said)
    assert log.said == [("cancelled", "long", None)]
    until(lambda: not manager.activeTasks() and not worker._tasks)


def test_short_work_is_not_in_the_task_manager(worker, log):
    worker.submit(job("short"))
    until(lambda: log.said)
    wait(500)

    assert QgsApplication.taskManager().activeTasks() == []
