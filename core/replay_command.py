"""The command ``replay``: results of a file made again and compared, one line for each."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing

from .console import say
from .models.store import ModelStore
from .outlines.stored import read_results
from .progress import Progress, SubProgress
from .raster.source import RasterSource
from .raster.sources import open_source
from .replay import Record, Replayer, Verdict
from .terrain.encoded import EncodedSource, encoding_in


def add_replay(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.set_defaults(run=replay)
    parser.add_argument("results", metavar="RESULTS", help="file of results: .geojson or .gpkg")
    parser.add_argument("--image", metavar="FILE", help="raster file to use in place of the recorded one")


def replay(options: argparse.Namespace, progress: Progress) -> None:
    """Make the results again and print how each came out."""
    stored = read_results(options.results)

    def open_record(record: Record) -> RasterSource:
        encoding, name = encoding_in(record.source) if record.composite is not None else (None, record.source)
        opened = open_source(options.image or name, pixel_space=record.prompts.endswith(" pixels"))
        return opened if encoding is None else EncodedSource(opened, encoding)

    verdicts = []
    with closing(Replayer(open_record, ModelStore().load)) as replayer:
        for number, polygon in enumerate(stored, start=1):
            part = SubProgress(progress, (number - 1) / len(stored), number / len(stored))
            again = replayer.replay(Record.of(polygon.geometry, polygon.crs, polygon.attributes), part)
            say(sys.stdout, f"{number}: {again.status}")
            verdicts.append(again.verdict)
    if not options.quiet:
        counts = (f"{verdicts.count(verdict)} {verdict.value}" for verdict in Verdict)
        say(sys.stdout, f"{options.results}: {', '.join(counts)}")
