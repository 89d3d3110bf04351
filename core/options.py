"""Options that several commands share, and what they mean: pixels, machine and outline."""

from __future__ import annotations

import argparse

from .models import catalogue
from .models.model import RuntimeSettings
from .outlines.masks import PartRule
from .outlines.shape import OutlineSettings
from .raster.rgb import RgbSettings, parse_bands
from .raster.stretch import Stretch
from .remote.address import Servers, warnings_of


def add_pixels(group: argparse._ArgumentGroup) -> None:
    """Add which pixels are looked at, and where models run."""
    add = group.add_argument
    add("--bands", metavar="R,G,B", help="one band number or three, from 1")
    add("--stretch", metavar="LOW:HIGH", help="range of values to show, one or one for each band")
    add("--pixel-space", action="store_true", help="coordinates are pixels (column,row), for images without a CRS")
    add("--threads", type=int, metavar="N", help="threads of the model")
    add("--provider", default="auto", metavar="NAME", help="auto, cpu, cuda, directml, openvino or coreml")


def rgb_of(options: argparse.Namespace) -> RgbSettings:
    """Return bands and stretch."""
    stretch = Stretch.parse(options.stretch) if options.stretch else None
    return RgbSettings(parse_bands(options.bands) if options.bands else None, stretch)


def runtime_of(options: argparse.Namespace) -> RuntimeSettings:
    """Return where models run; servers are those of the environment."""
    return RuntimeSettings(options.threads, options.provider)


def server_warnings(*models: str) -> tuple[str, ...]:
    """Return what the user should know before pixels go to the samgeo server that models run on, by sentences."""
    address = Servers.from_environment().samgeo
    remote = any(spec.server == "samgeo" for spec in catalogue.SPECS if spec.name in models)
    return warnings_of(address) if remote and address is not None else ()


def add_outline(group: argparse._ArgumentGroup, *, of_found: bool = False) -> None:
    """Add how outlines should look; of objects that nobody clicked (``of_found``) all parts are kept."""
    add = group.add_argument
    rules = [rule.value for rule in PartRule]
    if not of_found:
        default = OutlineSettings.parts.value
        add("--parts", choices=rules, default=default, help="which parts to keep (default: %(default)s)")
        add("--min-area", type=float, default=0.0, metavar="M2", help="drop parts below this area")
    add("--fill-holes", type=float, metavar="M2", help="fill holes up to this area (default: specks of 16 pixels)")
    add("--simplify", type=float, metavar="M", help="simplify by metres (default: one pixel; 0: pixel sides)")
    add("--smooth", type=int, default=0, metavar="N", help="round corners, 0 to 5 times")
    add("--expand", type=float, default=0.0, metavar="M", help="push the outline outwards; negative inwards")
    if of_found:
        group.set_defaults(parts=PartRule.ALL.value, min_area=0.0)


def outline_of(options: argparse.Namespace) -> OutlineSettings:
    """Return how outlines should look."""
    return OutlineSettings(
        parts=PartRule(options.parts),
        fill_holes_m2=options.fill_holes,
        min_area_m2=options.min_area,
        simplify_m=options.simplify,
        smooth=options.smooth,
        expand_m=options.expand,
    )
