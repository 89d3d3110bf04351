"""The weights folder: where a model's files are, whether they are the right ones, and how they get there."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import ModelFileError, ModelNotInstalledError, OutputError, UnknownNameError, UnsupportedPromptError
from ..progress import NullProgress, Progress, SubProgress
from . import catalogue, download, licences
from .families import FAMILIES
from .finding import ExampleModel, WordModel
from .model import LoadedModel, ModelFile, ModelSpec, RuntimeSettings, SegmentationModel
from .registered import registered

FOLDER_VARIABLE = "PROMPT_SEGMENTER_MODELS"
BUNDLED_FOLDER = Path(__file__).resolve().parents[2] / "resources" / "models"
_IN_WORDS = {"point": "clicks", "box": "boxes", "shape": "shapes", "example": "examples"}
_FETCH = "python -m prompt_segmenter.core.cli models fetch {name}"


@dataclass(frozen=True)
class _Seen:
    """What a file was when its digest was taken; another size or time, and it is read again."""

    size: int
    changed_ns: int
    sha256: str


class ModelStore:
    """The weights on this machine. Safe to use from one thread at a time.

    Parameters
    ----------
    folder : Path, optional
        Where fetched and imported weights lie. None takes the environment variable PROMPT_SEGMENTER_MODELS, or else
        the user's data folder. It is made when the first file comes.
    bundled : Path
        Where the weights that come with the plugin lie; never written to.
    patience : Patience, optional
        How often a download is tried again.

    Examples
    --------
    >>> store = ModelStore()
    >>> model = store.load("starter")  # doctest: +SKIP
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        bundled: Path = BUNDLED_FOLDER,
        patience: download.Patience | None = None,
    ) -> None:
        self.folder = Path(folder) if folder is not None else default_folder()
        self._bundled = bundled
        self._patience = patience
        self._seen: dict[Path, _Seen] = {}

    def taking(self, kind: str = "") -> list[ModelSpec]:
        """Return the catalogue's models and the user's own that take a kind of prompt; all if none is said."""
        return [
            *catalogue.taking(kind),
            *(spec for spec in registered(self.folder) if not kind or kind in spec.accepts),
        ]

    def names(self, kind: str = "") -> list[str]:
        """Return the names of the models that take a kind of prompt, the catalogue's first; of all if none is said."""
        return [spec.name for spec in self.taking(kind)]

    def get(self, name: str, kind: str = "") -> ModelSpec:
        """Return the model called ``name``, of the catalogue or registered by the user.

        Raises
        ------
        UnknownNameError
            If there is none; the message lists those that take this kind of prompt.
        UnsupportedPromptError
            If it takes other kinds.
        """
        for spec in (*self.taking(), *catalogue.map_servers()):
            if spec.name == name:
                if kind and kind not in spec.accepts:
                    raise self._takes_no(kind, spec)
                return spec
        known = [*self.names(kind), *(spec.name for spec in catalogue.map_servers(kind))]
        raise UnknownNameError(f"There is no model called '{name}'.", hint=f"Use one of: {', '.join(known)}.")

    def is_accepted(self, spec: ModelSpec) -> bool:
        """Return True if the model may be fetched and used: its licence asks for nothing, or was accepted."""
        return licences.is_accepted(self.folder, spec)

    def accept(self, spec: ModelSpec) -> None:
        """Record that the user has read and accepted the model's licence.

        Raises
        ------
        OutputError
            If the record can't be written.
        """
        licences.accept(self.folder, spec)

    def path(self, file: ModelFile) -> Path:
        """Return where the file belongs, whether it is there or not."""
        return (self._bundled if file.bundled else self.folder) / file.filename

    def missing(self, spec: ModelSpec) -> tuple[ModelFile, ...]:
        """Return which of the model's files aren't there. Looks at names only, so it is quick."""
        # Path.is_file raises where the folder can't be looked into.
        return tuple(file for file in spec.files if not os.path.isfile(self.path(file)))  # noqa: PTH113

    def locate(self, spec: ModelSpec, progress: Progress | None = None) -> tuple[str, ...]:
        """Return the paths of the model's files, in their order, each verified against its digest.

        Raises
        ------
        ModelNotInstalledError
            If a file isn't there; the hint is the command that gets it.
        LicenceError
            If its licence has to be accepted first.
        ModelFileError
            If a file can't be read or isn't the expected one. A fetched one that isn't is renamed to
            ``*.corrupt-<n>`` where the folder allows it.
        """
        licences.require_accepted(self.folder, spec)
        missing = self.missing(spec)
        if missing:
            raise self._not_installed(spec, missing)
        for file in spec.files:
            self._verify(file, progress or NullProgress())
        return tuple(str(self.path(file)) for file in spec.files)

    def fetch(self, spec: ModelSpec, progress: Progress | None = None) -> tuple[str, ...]:
        """Download what is missing of the model and return the verified paths.

        Raises
        ------
        DownloadError, ModelFileError, DependencyError, Cancelled
            As :func:`download.fetch` does.
        ModelNotInstalledError
            If a missing file can't be fetched, because it came with the plugin or was imported by the user.
        LicenceError
            If its licence has to be accepted first.
        """
        licences.require_accepted(self.folder, spec)
        progress = progress or NullProgress()
        missing = self.missing(spec)
        for index, file in enumerate(missing):
            if not file.url:
                raise self._not_installed(spec, (file,))
            share = SubProgress(progress, index / len(missing), (index + 1) / len(missing))
            download.fetch(file, self.path(file), share, patience=self._patience)
        return self.locate(spec, progress)

    def import_file(self, spec: ModelSpec, source: Path, progress: Progress | None = None) -> Path:
        """Copy a local file into the folder as the one of the model's files that it is, and return its place.

        It is told by its digest; for a model without digests, by its name.

        Raises
        ------
        ModelFileError
            If it is none of the model's files.
        OutputError
            If it can't be read, or copied into the folder.
        """
        try:
            digest = download.sha256_of(source, progress or NullProgress())
            file = _matching(spec, source, digest)
            target = self.path(file)
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(source, target)
        except OSError as error:
            raise OutputError(
                f"{source} can't be copied to {self.folder}: {error.strerror or error}.",
                hint=f"Check both, or choose another folder with {FOLDER_VARIABLE}.",
            ) from error
        return target

    def load(
        self,
        model: str | ModelSpec,
        *,
        settings: RuntimeSettings | None = None,
        progress: Progress | None = None,
    ) -> SegmentationModel:
        """Return a click model, by its name in the catalogue or its own spec, ready to run.

        Raises
        ------
        UnknownNameError
            If no model has this name.
        UnsupportedPromptError
            If it takes no clicks or boxes.
        LicenceError, ModelNotInstalledError, ModelFileError, DependencyError
            If its licence isn't accepted, or its weights or onnxruntime aren't there or can't be used.
        """
        loaded = self._load(model, settings, progress)
        if not isinstance(loaded, SegmentationModel):
            raise self._takes_no("point", loaded.spec)
        return loaded

    def load_words(
        self,
        model: str | ModelSpec,
        *,
        settings: RuntimeSettings | None = None,
        progress: Progress | None = None,
    ) -> WordModel:
        """Return a model that takes words, like :meth:`load`."""
        loaded = self._load(model, settings, progress)
        if not isinstance(loaded, WordModel):
            raise self._takes_no("words", loaded.spec)
        return loaded

    def load_for_examples(
        self,
        model: str | ModelSpec,
        *,
        settings: RuntimeSettings | None = None,
        progress: Progress | None = None,
    ) -> LoadedModel:
        """Return a model that finds what is like examples, by itself or by its clicks, like :meth:`load`."""
        loaded = self._load(model, settings, progress)
        if not isinstance(loaded, (SegmentationModel, ExampleModel)):
            raise self._takes_no("example", loaded.spec)
        return loaded

    def _load(self, model: str | ModelSpec, settings: RuntimeSettings | None, progress: Progress | None) -> LoadedModel:
        spec = self.get(model) if isinstance(model, str) else model
        if spec.fetches_map:
            raise UnsupportedPromptError(
                f"The model '{spec.name}' is a server that fetches the map itself, so it can't look at these pixels.",
                hint="Use it in Segment from prompts, on a layer of web tiles, or choose another model.",
            )
        family = FAMILIES.get(spec.family)
        paths = self.locate(spec, progress)
        # A registered file has no digest of its own in the spec: what is loaded is identified by what it is.
        found = tuple(replace(file, sha256=self._seen[self.path(file)].sha256) for file in spec.files)
        return family.load(replace(spec, files=found), paths, settings or RuntimeSettings())

    def _verify(self, file: ModelFile, progress: Progress) -> None:
        path = self.path(file)
        try:
            seen = self._look_at(path, progress)
        except OSError as error:
            raise ModelFileError(
                f"{path} can't be read: {error.strerror or error}.",
                hint="Check the file's and the folder's permissions.",
            ) from error
        if not file.sha256 or seen.sha256 == file.sha256:
            return
        del self._seen[path]
        raise ModelFileError(
            f"{path} is damaged or another file: its SHA-256 is {seen.sha256} and should be {file.sha256}.",
            hint=self._what_to_do(file, path),
        )

    def _what_to_do(self, file: ModelFile, path: Path) -> str:
        """Return what to tell the user about a file that must not be loaded; one of our own is renamed."""
        if file.bundled:
            return "It came with the plugin: reinstall the plugin."
        if Path(file.filename).is_absolute():
            return "It has changed since you registered it: register the model again if that is right."
        return _set_aside(path)

    def _look_at(self, path: Path, progress: Progress) -> _Seen:
        """Return the file's digest, read anew only if the file has changed since the last time."""
        stat = path.stat()
        seen = self._seen.get(path)
        if seen is None or (seen.size, seen.changed_ns) != (stat.st_size, stat.st_mtime_ns):
            seen = _Seen(stat.st_size, stat.st_mtime_ns, download.sha256_of(path, progress))
            self._seen[path] = seen
        return seen

    def _takes_no(self, kind: str, spec: ModelSpec) -> UnsupportedPromptError:
        return UnsupportedPromptError(
            f"The model '{spec.name}' takes no {_IN_WORDS.get(kind, kind)}.",
            hint=f"Use one of: {', '.join(self.names(kind))}.",
        )

    def _not_installed(self, spec: ModelSpec, missing: tuple[ModelFile, ...]) -> ModelNotInstalledError:
        names = ", ".join(Path(file.filename).name for file in missing)
        folder = self.path(missing[0]).parent
        if all(file.url for file in missing):
            hint = f"Get it with: {_FETCH.format(name=spec.name)}"
        elif any(file.bundled for file in missing):
            hint = "These files come with the plugin: reinstall it."
        elif all(Path(file.filename).is_absolute() for file in missing):
            hint = "Register the model again with the files' new places."
        else:
            hint = "Copy these files into this folder."
        return ModelNotInstalledError(f"The model '{spec.name}' is not installed: {folder} has no {names}.", hint=hint)


def default_folder(environment: Mapping[str, str] | None = None, platform: str = sys.platform) -> Path:
    """Return the user's own folder for weights: PROMPT_SEGMENTER_MODELS, else the platform's place for data."""
    environment = os.environ if environment is None else environment
    if environment.get(FOLDER_VARIABLE):
        return Path(environment[FOLDER_VARIABLE]).expanduser()
    if platform == "win32":
        base = Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "prompt_segmenter" / "models"


def _matching(spec: ModelSpec, source: Path, digest: str) -> ModelFile:
    for file in spec.files:
        if digest == file.sha256 or (not file.sha256 and source.name == file.filename):
            return file
    expected = ", ".join(f"{file.filename} (SHA-256 {file.sha256 or 'any'})" for file in spec.files)
    raise ModelFileError(
        f"{source} is no file of the model '{spec.name}': its SHA-256 is {digest}.", hint=f"It takes: {expected}."
    )


def _copy(source: Path, target: Path) -> None:
    """Copy beside the target and rename, so that half a file never has the target's name, nor stays."""
    part = target.with_name(f"{target.name}.import")
    try:
        shutil.copyfile(source, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _set_aside(path: Path) -> str:
    """Rename a file that must not be loaded, and return what to tell the user about it."""
    number = 1
    while (aside := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    try:
        path.replace(aside)
    except OSError as error:
        # Its digest is looked at again each time, so it is refused all the same.
        reason = error.strerror or error
        return f"It can't be renamed ({reason}): delete it yourself, then fetch or import the model again."
    return f"It was renamed to {aside.name} and is not used. Fetch or import the model again."
