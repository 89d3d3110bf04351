from __future__ import annotations

import json
import stat
import sys

import pytest
from prompt_segmenter.algorithms import own_packages
from prompt_segmenter.ui import first_run, package_install
from prompt_segmenter.ui.first_run import FirstRunPage
from prompt_segmenter.ui.package_install import python_program, requirement
from pytest_qgis.utils import wait_until
from qgis.PyQt.QtGui import QGuiApplication

FAKE_PIP = """#!{python}
import json, os, sys, time
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "asked.json"), "w") as file:
    json.dump(sys.argv[1:], file)
print("Collecting onnxruntime", flush=True)
what = open(os.path.join(here, "behaviour")).read()
target = sys.argv[sys.argv.index("--target") + 1]
os.makedirs(os.path.join(target, "fake_wheel_of_the_test"))
with open(os.path.join(target, "fake_wheel_of_the_test", "__init__.py"), "w") as file:
    file.write("VALUE = 7\\n")
if what == "no network":
    print("ERROR: No matching distribution found for onnxruntime")
    sys.exit(1)
if what == "slow":
    time.sleep(60)
print("Successfully installed onnxruntime")
"""


@pytest.fixture
def pip(tmp_path):
    """A Python that knows only how to be asked for pip; ``behaviour`` says what it does."""
    program = tmp_path / "python3"
    program.write_text(FAKE_PIP.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "behaviour").write_text("works")
    return program


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(own_packages, "folder", lambda: tmp_path / "profile" / "packages" / "3.x")
    path = list(sys.path)
    yield tmp_path / "profile" / "packages" / "3.x"
    sys.path[:] = path


@pytest.fixture
def missing(monkeypatch):
    """What is missing, as the page is told each time that it looks."""
    names = ["onnxruntime"]
    monkeypatch.setattr(first_run, "missing_packages", lambda: list(names))
    return names


@pytest.fixture
def page(pip, missing):
    page = FirstRunPage(program=str(pip), ask=lambda question: True)
    page.show_missing(missing)
    page.show()
    yield page
    page.cancel()
    assert wait_until(lambda: page._run is None, timeout_milliseconds=5000)
    page.deleteLater()


def ended(page):
    assert wait_until(lambda: page._run is None, timeout_milliseconds=10_000)


def test_it_says_what_is_missing_and_the_command_can_be_copied(page):
    assert "The plugin needs Python packages that are not there: onnxruntime." in page._words.text()
    page._copy.click()

    assert "pip install" in QGuiApplication.clipboard().text()
    assert "onnxruntime" in QGuiApplication.clipboard().text()


def test_it_says_where_to_type_on_each_platform():
    assert "OSGeo4W Shell" in first_run.where_to_type("win32")
    assert "QGIS.app" in first_run.where_to_type("darwin")
    assert "Open a terminal" in first_run.where_to_type("linux")


def test_on_macos_the_command_is_for_the_python_in_qgis():
    command = first_run.command(["onnxruntime"], "darwin", "/Applications/QGIS.app/Contents/MacOS/bin/python3")

    assert command.startswith('"/Applications/QGIS.app/Contents/MacOS/bin/python3" -m pip install')


def test_after_a_yes_one_wheel_is_installed_into_the_profile_and_nothing_else(page, pip, missing, folder, heard):
    installed = heard(page.installed)
    before, modules = list(sys.path), set(sys.modules)

    page._install.click()
    assert page._cancel.isVisible()
    assert not page._install.isEnabled()
    missing.clear()
    ended(page)

    asked = json.loads((pip.parent / "asked.json").read_text())
    assert asked[:5] == ["-m", "pip", "install", "--no-deps", "--only-binary=:all:"]
    assert asked[-1] == requirement()
    assert (folder / "fake_wheel_of_the_test" / "__init__.py").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["3.x"]
    assert sys.path == [*before, str(folder)]
    assert not {name for name in set(sys.modules) - modules if "onnx" in name or "numpy" in name}
    assert len(installed.values) == 1
    assert "Successfully installed onnxruntime" in page._output.toPlainText()
    assert not page._cancel.isVisible()


def test_after_a_no_nothing_is_started(pip, missing):
    page = FirstRunPage(program=str(pip), ask=lambda question: False)
    page.show_missing(missing)

    page._install.click()

    assert page._run is None
    assert not (pip.parent / "asked.json").exists()


def test_the_question_names_what_is_fetched_and_where_it_goes(pip, missing, folder):
    questions = []
    page = FirstRunPage(program=str(pip), ask=questions.append)
    page.show_missing(missing)

    page._install.click()

    assert requirement() in questions[0]
    assert str(folder) in questions[0]


def test_without_a_network_nothing_is_left_and_the_other_way_is_told(page, pip, folder, heard):
    installed = heard(page.installed)
    (pip.parent / "behaviour").write_text("no network")

    page._install.click()
    ended(page)

    assert installed.values == []
    assert list(folder.parent.iterdir()) == []
    assert "pip ended with status 1" in page._outcome.text()
    assert "Without a network: on a machine that has one" in page._outcome.text()
    assert "pip download --no-deps" in page._outcome.text()
    assert "No matching distribution" in page._output.toPlainText()
    assert page._install.isEnabled()


def test_it_can_be_cancelled_and_nothing_is_left(page, pip, folder):
    (pip.parent / "behaviour").write_text("slow")

    page._install.click()
    assert wait_until(lambda: "Collecting" in page._output.toPlainText(), timeout_milliseconds=5000)
    page._cancel.click()
    ended(page)

    assert "Cancelled." in page._outcome.text()
    assert list(folder.parent.iterdir()) == []


def test_a_python_that_cannot_be_started_is_said_so(missing, tmp_path):
    page = FirstRunPage(program=str(tmp_path / "python-that-is-not-there"), ask=lambda question: True)
    page.show_missing(missing)

    page._install.click()
    ended(page)

    assert "python-that-is-not-there can" in page._outcome.text()


def test_without_a_python_of_qgis_or_for_other_packages_only_the_command_is_shown(pip):
    without = FirstRunPage(program="", ask=lambda question: True)
    without.show_missing(["onnxruntime"])
    other = FirstRunPage(program=str(pip), ask=lambda question: True)
    other.show_missing(["shapely"])

    assert not without.can_install()
    assert not other.can_install()


def test_without_pip_the_command_brings_it_and_there_is_no_offer(pip, missing, monkeypatch):
    monkeypatch.setattr(first_run, "has_pip", lambda: False)
    monkeypatch.setattr(first_run.shutil, "which", lambda name: "/usr/bin/apt-get")
    page = FirstRunPage(program=str(pip))
    page.show_missing(missing)

    assert not page.can_install()
    assert first_run.command(missing, "linux", "").startswith("sudo apt-get install python3-pip && ")


def test_what_came_by_other_means_is_seen_on_request(page, missing, heard):
    installed = heard(page.installed)
    page._again.click()
    assert installed.values == []
    missing.clear()
    page._again.click()

    assert len(installed.values) == 1


def test_qgis_itself_is_never_started_in_place_of_python(tmp_path):
    program = tmp_path / "bin" / "qgis-ltr-bin.exe"
    python = tmp_path / "apps" / "Python312" / "python.exe"
    for path in (program, python):
        path.parent.mkdir(parents=True)
        path.write_text("")
        path.chmod(0o755)

    assert python_program(str(program), str(python.parent)) == str(python)
    assert python_program(str(program), str(tmp_path / "elsewhere")) == ""
    assert python_program(str(python), str(tmp_path / "elsewhere")) == str(python)


def test_in_the_macos_bundle_python_lies_beside_qgis(tmp_path):
    program, python = tmp_path / "MacOS" / "QGIS", tmp_path / "MacOS" / "bin" / "python3"
    for path in (program, python):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        path.chmod(0o755)

    assert python_program(str(program), str(tmp_path / "Frameworks")) == str(python)


def test_the_version_fits_python():
    assert requirement((3, 9)) == "onnxruntime>=1.19,<1.20"
    assert requirement((3, 12)) == "onnxruntime>=1.19,<2"


def test_unloading_in_the_middle_stops_it(pip, missing, folder):
    (pip.parent / "behaviour").write_text("slow")
    run = package_install.PackageInstall(str(pip))
    said = []
    run.said.connect(said.append)
    run.start()
    assert wait_until(lambda: said != [], timeout_milliseconds=5000)

    run.cancel()
    assert wait_until(lambda: not run.is_running(), timeout_milliseconds=5000)

    assert not folder.exists()
