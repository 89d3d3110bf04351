"""How a samgeo server is, in words, whatever it does; and running one on this machine."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from prompt_segmenter.core.errors import Cancelled, ServerUnavailableError
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.remote import samgeo_status as status_module
from prompt_segmenter.core.remote.address import ServerAddress
from prompt_segmenter.core.remote.exchange import Limits
from prompt_segmenter.core.remote.samgeo import BaseKind
from prompt_segmenter.core.remote.samgeo_process import SamgeoProcess
from prompt_segmenter.core.remote.samgeo_status import ServerState, samgeo_status
from prompt_segmenter.test.helpers import fake_samgeo
from prompt_segmenter.test.helpers.fake_samgeo import answer, refused
from prompt_segmenter.test.helpers.loopback import Reply, Watched, scripted

QUIET = NullProgress()


def status(server, **options):
    return samgeo_status(ServerAddress(server.url), QUIET, **options)


def test_none_is_set_up():
    said = samgeo_status(None)
    assert said.state is ServerState.NOT_SET_UP
    assert "PROMPT_SEGMENTER_SAMGEO_URL" in said.hint
    assert samgeo_status(ServerAddress("nonsense")).state is ServerState.NOT_SET_UP


def test_an_available_one_tells_its_version_and_models():
    with fake_samgeo.fake_samgeo() as server:
        said = status(server)
    assert (said.state, said.kind, said.version) == (ServerState.AVAILABLE, BaseKind.DIRECT, "1.4.2")
    assert dict(said.models)["sam3"] == ("facebook/sam3", "facebook/sam3.1")
    assert said.loaded == ("sam3 facebook/sam3 (confidence_threshold 0.2)",)
    assert said.is_usable
    assert any("1.4.2, available" in line for line in said.lines())


def test_a_sidecar_in_its_states():
    with fake_samgeo.fake_sidecar() as server:
        said = status(server)
        assert (said.state, said.kind, said.version) == (ServerState.AVAILABLE, BaseKind.SIDECAR, "1.4.2")
    with fake_samgeo.fake_sidecar(
        version=None, message="samgeo-api is installed and will start on first use."
    ) as server:
        said = status(server)
        assert said.state is ServerState.AVAILABLE
        assert "first request" in said.text
    with fake_samgeo.fake_sidecar(available=False, message="... but the server is not responding.") as server:
        assert status(server).state is ServerState.BUSY
    with fake_samgeo.fake_sidecar(available=False, message="Install it with: pip install x") as server:
        said = status(server)
        assert said.state is ServerState.ABSENT
        assert "pip install x" in said.text
        assert not said.is_usable


def test_a_silent_one_is_busy_and_not_dead(monkeypatch):
    monkeypatch.setattr(status_module, "_PROBE", Limits(silence_s=0.2))
    with fake_samgeo.fake_samgeo() as server:
        server.replies["/health"] = [Reply(delay_s=5.0)]
        said = status(server)
    assert said.state is ServerState.BUSY
    assert said.is_usable
    with fake_samgeo.fake_samgeo() as server:
        server.replies["/models"] = [Reply(delay_s=5.0)]
        assert status(server).state is ServerState.BUSY


def test_an_absent_one_says_what_to_do():
    with scripted() as server:
        gone = ServerAddress(server.url)
    said = samgeo_status(gone)
    assert said.state is ServerState.ABSENT
    assert "Start the server" in said.hint


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (refused(401, "Not authenticated"), ServerState.REFUSES),
        (refused(500, "boom"), ServerState.REFUSES),
        (refused(404, "Not Found"), ServerState.OTHER),
        (Reply(200, b"<html>"), ServerState.OTHER),
        (answer(["ok"]), ServerState.OTHER),
        (Reply(cut_after=-1), ServerState.ABSENT),
        (Reply(302, headers={"Location": "http://other.invalid/"}), ServerState.ABSENT),
        (Reply(filler_bytes=500_000_000), ServerState.ABSENT),
    ],
)
def test_odd_ones_never_raise(reply, state):
    with scripted({"/health": reply}) as server:
        said = status(server)
    assert said.state is state
    assert said.text
    assert said.hint


@pytest.mark.parametrize("models", [answer([]), answer({"models": 3, "loaded": [1, ["a"], ["a", "b", 3]]}), Reply(500)])
def test_odd_lists_of_models_are_left_out(models):
    with fake_samgeo.fake_samgeo() as server:
        server.replies["/models"] = [models]
        said = status(server)
    assert said.state is ServerState.AVAILABLE
    assert said.models == ()


def test_plain_http_to_another_machine_is_warned_of():
    said = samgeo_status(ServerAddress("http://server.invalid"))
    assert "without encryption" in said.warnings[0]
    assert said.warnings[0] in said.lines()


SERVER = """
import http.server, json, sys, time
port = int(sys.argv[sys.argv.index("--port") + 1])
assert sys.argv[sys.argv.index("--host") + 1] == "127.0.0.1"
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"status": "ok", "version": "1.4.2"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
print("loading with token=hunter2", flush=True)
time.sleep(float(sys.argv[1]))
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(60)"
)


@pytest.fixture
def command(tmp_path):
    """Return what starts a program, quoted for a path with blanks."""

    def made(text, *arguments):
        script = tmp_path / "a server.py"
        script.write_text(text)
        return " ".join([f'"{sys.executable}"', f'"{script}"', *arguments])

    return made


def test_a_server_is_started_asked_and_stopped(command):
    process = SamgeoProcess(command(SERVER, "0.3"))
    assert not process.is_running
    progress = Watched()
    url = process.start(progress)
    try:
        assert process.is_running
        assert process.start(QUIET) == url == process.url
        assert samgeo_status(ServerAddress(url)).state is ServerState.AVAILABLE
        assert "loading with" in process.log()
        assert "hunter2" not in process.log()
        assert any(message.startswith("Starting samgeo-api") for message in progress.messages)
    finally:
        process.stop()
    assert not process.is_running
    assert process.url == ""
    assert samgeo_status(ServerAddress(url)).state is ServerState.ABSENT
    process.stop()


def test_what_qgis_sets_for_its_own_python_is_not_handed_down(command, monkeypatch):
    monkeypatch.setenv("PROJ_LIB", "/qgis/proj")
    monkeypatch.setenv("PYTHONPATH", "/qgis/python")
    text = "import os; print(sorted(set(os.environ) & {'PROJ_LIB', 'PYTHONPATH', 'MINE', 'PATH'}))"
    process = SamgeoProcess(command(text), environment={"MINE": "1"})
    with pytest.raises(ServerUnavailableError, match=r"\['MINE', 'PATH'\]"):
        process.start(QUIET)


def test_a_server_that_ends_at_once_leaves_its_last_words(command):
    with pytest.raises(ServerUnavailableError, match=r"exit code 3.*No module named samgeo") as caught:
        SamgeoProcess(command("import sys; print('No module named samgeo'); sys.exit(3)")).start(QUIET)
    assert "log" in caught.value.hint


@pytest.mark.parametrize("given", ["", "no-such-samgeo-api --x", "'unclosed"])
def test_a_command_that_is_none(given):
    with pytest.raises(ServerUnavailableError) as caught:
        SamgeoProcess(given).start(QUIET)
    assert caught.value.hint


def test_one_that_does_not_answer_in_time_is_stopped(command):
    process = SamgeoProcess(command(SERVER, "60"), wait_s=1.0)
    with pytest.raises(ServerUnavailableError, match="did not answer within 1 s"):
        process.start(QUIET)
    assert not process.is_running


def test_cancel_while_it_starts_stops_it(command):
    process = SamgeoProcess(command(SERVER, "60"))
    with pytest.raises(Cancelled):
        process.start(Watched(cancel_when=lambda: "loading" in process.log()))
    assert not process.is_running


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs POSIX signals and /proc")
def test_one_that_does_not_listen_is_killed_with_its_children(command, monkeypatch):
    from prompt_segmenter.core.remote import samgeo_process

    monkeypatch.setattr(samgeo_process, "_TERM_S", 0.5)
    child = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)"
    )
    process = SamgeoProcess(command(child), wait_s=60.0)
    with pytest.raises(Cancelled):
        process.start(Watched(cancel_when=lambda: len(process.log().split()) > 1))
    pid = next(int(word) for word in process.log().split() if word.isdigit())
    for _ in range(100):
        if not _alive(pid):
            return
        time.sleep(0.05)
    pytest.fail("the child is still there")


def test_on_windows_one_without_a_console_is_killed_where_it_can_not_be_asked(monkeypatch):
    # what is asked by Ctrl+Break has to share a console; a program without a window has one of its own
    from prompt_segmenter.core.remote import samgeo_process

    class Windowless:
        killed = False

        def send_signal(self, number):
            raise OSError(22, "The handle is invalid")

        def kill(self):
            self.killed = True

    process = Windowless()
    monkeypatch.setattr(samgeo_process, "os", SimpleNamespace(name="nt"))
    for gentle in (True, False):
        samgeo_process._signal_group(process, gentle=gentle)
    assert process.killed


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
