"""From a chip to the RGB picture that models take: which bands, which stretch, and what stands where nothing is.

The recipe is made once for a source and used for every view of it, so that the same object always looks the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingsError
from ..progress import Progress
from .chip import RasterChip
from .source import BandInfo, BandRole, RasterSource
from .stretch import Stretch, percentile_stretch, sample

_POOR_RANGE = 80.0
_MIDDLE_GREY = 128
_DRAWN = "drawn"
Palette = tuple[tuple[int, int, int, int], ...]


def parse_bands(text: str) -> tuple[int, ...]:
    """Return the band numbers that the user wrote.

    Raises
    ------
    SettingsError
        If they are not whole numbers with commas.

    Examples
    --------
    >>> parse_bands("4,3,2")
    (4, 3, 2)
    """
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError as error:
        raise SettingsError(
            f"The bands '{text}' can't be understood.", hint="Give one band number or three, for example 4,3,2."
        ) from error


@dataclass(frozen=True)
class RgbSettings:
    """What the user may say about the picture; what is left out is chosen from the raster."""

    bands: tuple[int, ...] | None = None
    """One band number (grey or palette) or three (red, green, blue), from 1."""
    stretch: Stretch | None = None
    """The range of values to show, one pair or one for each channel."""
    percentiles: tuple[float, float] = (2.0, 98.0)
    """Where the range is taken from if ``stretch`` is left out."""

    def __post_init__(self) -> None:
        low, high = self.percentiles
        if not 0.0 <= low < high <= 100.0:
            raise SettingsError(
                f"The percentiles {low:g} and {high:g} make no range.",
                hint="Give two from 0 to 100, the smaller first, for example 2 and 98.",
            )


@dataclass(frozen=True)
class RgbRecipe:
    """How the bands of one source become a picture."""

    bands: tuple[int, ...]
    """The one or three band numbers to read, from 1."""
    stretch: Stretch | None = None
    """The stretch of each channel; None where values are shown as they are (0..255, or a palette)."""
    palette: Palette = ()
    """RGBA of each value of a palette band."""
    drawn: bool = False
    """True if the pixels are a finished picture (a layer's style, a tile server), and not the layer's values."""

    def text(self) -> str:
        """Return it for provenance, e.g. "bands=4,3,2 stretch=12:3400,15:2900,10:2500"."""
        numbers = ",".join(str(number) for number in self.bands)
        how = "palette" if self.palette else self.stretch.text() if self.stretch else "none"
        drawn = f" pixels={_DRAWN}" if self.drawn else ""
        return f"bands={numbers} stretch={how}{drawn}"

    @classmethod
    def parse(cls, text: str, source: RasterSource) -> RgbRecipe:
        """Return the recipe that :meth:`text` wrote, for the same source.

        Raises
        ------
        SettingsError
            If the text can't be understood or doesn't suit the source.
        """
        try:
            parts = dict(part.split("=", 1) for part in text.split())
            bands = tuple(int(number) for number in parts["bands"].split(","))
            how = parts["stretch"]
        except (ValueError, KeyError) as error:
            raise SettingsError(
                f"The recipe '{text}' can't be understood.", hint="It reads like: bands=1,2,3 stretch=0:255."
            ) from error
        _check_bands(source, bands)
        if how == "palette":
            return cls(bands, palette=_palette_of(source, bands))
        drawn = parts.get("pixels") == _DRAWN
        if drawn and not source.already_rgb:
            raise SettingsError(
                f"What was looked at is not the values of '{source.uri}' but a picture drawn from them.",
                hint="Draw it again with the layer's style (RENDER).",
            )
        if how == "none":
            _check_8_bit(source, bands)
            return cls(bands, drawn=drawn)
        return cls(bands, Stretch.parse(how), drawn=drawn)


def resolve_recipe(source: RasterSource, settings: RgbSettings, progress: Progress) -> RgbRecipe:
    """Return the recipe for a source: the settings, and what its pixels say where they leave something out.

    Bands: the declared red, green and blue; else the first three of three or more; else the first, as grey or through
    its palette. A finished picture, a palette, and 8-bit colour that uses its range are shown as they are. 8-bit
    colour whose middle 96 % fills less than a third of the range (raw satellite counts, heavy haze) gets one stretch
    over all channels, so its colours stay; anything else gets one for each channel.

    Raises
    ------
    SettingsError
        If the bands don't exist or aren't one or three.
    RasterReadError
        If the pixels can't be read, or are nothing but nodata.
    Cancelled
        If the user asked to stop.
    """
    bands = settings.bands or _default_bands(source.bands)
    _check_bands(source, bands)
    if settings.stretch is not None and len(settings.stretch.ranges) not in (1, len(bands)):
        raise SettingsError(
            f"The stretch has {len(settings.stretch.ranges)} low:high pairs for {len(bands)} bands.",
            hint="Give one pair for all bands, or one for each.",
        )
    if settings.stretch is not None:
        return RgbRecipe(bands, settings.stretch, drawn=source.already_rgb)
    if source.already_rgb:
        return RgbRecipe(bands, drawn=True)
    progress.report(0.0, "Looking for the range of values")
    values = sample(source, bands, progress)
    palette = _palette_of(source, bands)
    if palette:
        return RgbRecipe(bands, palette=palette)
    is_colour = len(bands) == 3 and all(source.bands[number - 1].dtype == "uint8" for number in bands)
    if is_colour and np.ptp(np.percentile(values, (2.0, 98.0))) >= _POOR_RANGE:
        return RgbRecipe(bands)
    return RgbRecipe(bands, percentile_stretch(values, settings.percentiles, joint=is_colour))


def to_rgb8(chip: RasterChip, recipe: RgbRecipe) -> NDArray[np.uint8]:
    """Return the chip as RGB (H, W, 3) uint8.

    Pixels that :func:`usable_pixels` leaves out get the mean colour of the others, so that the edge of the data is as
    faint as one colour can make it; middle grey where there are none.

    Parameters
    ----------
    chip : RasterChip
        Read with ``recipe.bands``.
    recipe : RgbRecipe
        From :func:`resolve_recipe`.
    """
    if len(chip.data) != len(recipe.bands):
        raise ValueError(f"to_rgb8: expected the {len(recipe.bands)} bands of the recipe, got {len(chip.data)}")
    usable = usable_pixels(chip, recipe)
    if recipe.palette:
        picture = _through_palette(chip, recipe.palette)[..., :3]
    elif recipe.stretch is not None:
        picture = np.moveaxis(recipe.stretch.apply(chip.data), 0, -1)
    else:
        picture = np.moveaxis(chip.data.clip(0, 255), 0, -1).astype(np.uint8)
    rgb = np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else np.ascontiguousarray(picture)
    return faint(rgb, usable)


def faint(rgb: NDArray[np.uint8], usable: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) whose pixels that are not usable (H, W) have the mean colour of the others.

    It is the picture itself if all are usable, else a copy.
    """
    if usable.all():
        return rgb
    filled = rgb.copy()
    filled[~usable] = np.rint(rgb[usable].mean(axis=0)) if usable.any() else _MIDDLE_GREY
    return filled


def usable_pixels(chip: RasterChip, recipe: RgbRecipe) -> NDArray[np.bool_]:
    """Return where the picture of the chip shows data, bool (H, W).

    That is where the chip is valid, but for values that a palette makes transparent or has no colour for.
    """
    if not recipe.palette:
        return chip.valid
    painted: NDArray[np.bool_] = _through_palette(chip, recipe.palette)[..., 3] > 0
    return chip.valid & painted


def _through_palette(chip: RasterChip, palette: Palette) -> NDArray[np.uint8]:
    """Return the colours as RGBA (H, W, 4); transparent for values without an entry."""
    # One entry more, for all that have none.
    table = np.array([*palette, (0, 0, 0, 0)], dtype=np.uint8)
    values = chip.data[0]
    known = (values >= 0) & (values < len(palette))
    colours: NDArray[np.uint8] = table[np.where(known, values, len(palette)).astype(np.intp)]
    return colours


def _default_bands(bands: tuple[BandInfo, ...]) -> tuple[int, ...]:
    roles = [band.role for band in bands]
    wanted = (BandRole.RED, BandRole.GREEN, BandRole.BLUE)
    if all(role in roles for role in wanted):
        return tuple(roles.index(role) + 1 for role in wanted)
    colours = [number for number, role in enumerate(roles, start=1) if role is not BandRole.ALPHA] or [1]
    if len(colours) < 3 or roles[colours[0] - 1] is BandRole.PALETTE:
        return (colours[0],)
    return tuple(colours[:3])


def _check_bands(source: RasterSource, bands: tuple[int, ...]) -> None:
    listed = ", ".join(str(number) for number in bands)
    if len(bands) not in (1, 3):
        raise SettingsError(
            f"A picture is made of one band or three, not of {len(bands)} ({listed}).",
            hint="Give one band number for grey, or three for red, green and blue.",
        )
    there = source.bands
    if not all(1 <= number <= len(there) for number in bands):
        names = ", ".join(f"{number} ({band.name})" for number, band in enumerate(there[:12], start=1))
        raise SettingsError(f"The raster '{source.uri}' has no band {listed}.", hint=f"Its bands are: {names}.")
    for number in bands:
        if there[number - 1].dtype.startswith("complex"):
            raise SettingsError(f"Band {number} of '{source.uri}' holds complex numbers.", hint="Choose another band.")


def _check_8_bit(source: RasterSource, bands: tuple[int, ...]) -> None:
    for number in bands:
        dtype = source.bands[number - 1].dtype
        if dtype != "uint8":
            raise SettingsError(
                f"Band {number} of '{source.uri}' is {dtype} and can't be shown with no stretch.",
                hint="Give a stretch as low:high in the band's own values.",
            )


def _palette_of(source: RasterSource, bands: tuple[int, ...]) -> Palette:
    return source.bands[bands[0] - 1].palette if len(bands) == 1 else ()
