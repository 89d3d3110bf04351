"""The one error family of the core: what happened, with its values, and a hint on what to do about it."""

from __future__ import annotations


class SegmentError(Exception):
    """Base of every error that the core raises on purpose.

    Parameters
    ----------
    message : str
        What happened, with the values involved, as one sentence.
    hint : str, optional
        What the user can do about it, as one sentence.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class DependencyError(SegmentError):
    """A Python package that the work needs can't be imported."""


class UnknownNameError(SegmentError):
    """A name is not in its registry or catalogue; the message lists those that are."""


class ModelNotInstalledError(SegmentError):
    """The model is known, but its weights are not on this machine."""


class ModelFileError(SegmentError):
    """A weights file is not the one expected (digest, size, or its graph's inputs and outputs)."""


class LicenceError(SegmentError):
    """The model's licence has to be read and accepted before its weights are fetched or used."""


class ModelRunError(SegmentError):
    """The model's graph failed while it ran."""


class DownloadError(SegmentError):
    """A weights file could not be fetched; what had arrived is kept to be resumed."""


class ServerUnavailableError(SegmentError):
    """A server can't be reached, or answers with something that is not its contract's; the message says which."""


class ServerBusyError(ServerUnavailableError):
    """A server is there and has no time for this now, after all patience."""


class PromptError(SegmentError):
    """A prompt makes no sense by itself: NaN coordinates, an inverted or empty box, text that can't be read."""


class EmptyPromptError(PromptError):
    """An object has no include point and no box, so there is nothing to look for."""


class UnsupportedPromptError(PromptError):
    """The model can't take this kind or combination of prompts."""


class OutsideExtentError(PromptError):
    """Some prompts lie outside the raster; the message says which."""


class GridError(SegmentError):
    """A pixel grid that can't exist: singular transform, no pixels."""


class MissingCrsError(SegmentError):
    """The raster has no CRS and pixel space was not asked for."""


class CrsError(SegmentError):
    """A CRS that can't be understood, or a coordinate that can't be transformed to it."""


class RasterReadError(SegmentError):
    """The raster, or a band of it, can't be read or holds nothing that can be segmented."""


class TileDownloadError(RasterReadError):
    """Map tiles did not come; the message says which, why, and how many of how many."""


class ChipTooLargeError(SegmentError):
    """More pixels were asked for than the limit allows; the hint names the resolution that fits."""


class SettingsError(SegmentError):
    """A setting is out of its range or contradicts another."""


class OutputError(SegmentError):
    """The result can't be written where it was asked for."""


class Cancelled(Exception):  # noqa: N818 (a normal outcome, not an error)
    """The user asked to stop. Its own root: nothing that handles errors may swallow it."""


class StoppedWaiting(Cancelled):
    """The user asked to stop while a server worked for us. The server goes on: the text says so, and can be shown."""
