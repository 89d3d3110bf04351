"""The command ``models``: what there is, fetched, imported, registered, and licences accepted."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .console import say
from .models import registered
from .models.model import ModelSpec
from .models.store import ModelStore
from .progress import Progress


def list_models(options: argparse.Namespace, progress: Progress) -> None:
    """Print every model: whether it is there, what it takes, its licence and its download size."""
    store = ModelStore()
    specs = store.taking()
    width = max(len(spec.name) for spec in specs)
    for spec in specs:
        there = "on a server" if spec.server else "not installed" if store.missing(spec) else "installed"
        megabytes = f", {spec.nbytes / 1e6:.0f} MB" if spec.nbytes else ""
        accept = "" if store.is_accepted(spec) else ", to be accepted first"
        takes = ", ".join(sorted(spec.accepts))
        say(
            sys.stdout,
            f"{spec.name:{width}} {there:14} {spec.title} ({spec.licence}{accept}{megabytes}); takes {takes}",
        )
    say(sys.stdout, f"Folder: {store.folder}")


def fetch_model(options: argparse.Namespace, progress: Progress) -> None:
    """Download a model's files and print where they are."""
    store = ModelStore()
    spec = store.get(options.name)
    if options.accept_licence:
        _accept(store, spec)
    for path in store.fetch(spec, progress):
        say(sys.stdout, path)


def accept_licence(options: argparse.Namespace, progress: Progress) -> None:
    """Record that the user has read and accepted a model's licence."""
    store = ModelStore()
    _accept(store, store.get(options.name))


def import_model(options: argparse.Namespace, progress: Progress) -> None:
    """Copy a local file into the weights folder and print its place there."""
    store = ModelStore()
    say(sys.stdout, str(store.import_file(store.get(options.name), Path(options.file), progress)))


def register_model(options: argparse.Namespace, progress: Progress) -> None:
    """List files of a known family as a model of the user's own, where they lie."""
    store = ModelStore()
    wanted = registered.Registration(
        name=options.name,
        family=options.family,
        files=tuple(Path(file) for file in options.files),
        title=options.title,
        licence=options.licence,
        input_size_px=options.size,
        traits=frozenset(options.trait),
    )
    spec = registered.register(store.folder, wanted, progress)
    say(sys.stdout, f"{spec.name}: {len(spec.files)} files of the family '{spec.family}' ({spec.licence})")


def unregister_model(options: argparse.Namespace, progress: Progress) -> None:
    """Take a registered model out of the list; its files stay."""
    registered.unregister(ModelStore().folder, options.name)
    say(sys.stdout, f"{options.name}: no longer listed; its files are where they were")


def add_models(parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    """Fill the parser of ``models``."""
    parser.set_defaults(run=list_models)
    actions = parser.add_subparsers(metavar="list | fetch | accept | import | register | unregister")
    actions.add_parser("list", parents=[common], help="what there is").set_defaults(run=list_models)
    fetch = actions.add_parser("fetch", parents=[common], help="download a model's weights")
    fetch.add_argument("name", metavar="NAME")
    fetch.add_argument("--accept-licence", action="store_true", help="I have read the model's licence and accept it")
    fetch.set_defaults(run=fetch_model)
    accept = actions.add_parser("accept", parents=[common], help="say that you have read and accept a model's licence")
    accept.add_argument("name", metavar="NAME")
    accept.set_defaults(run=accept_licence)
    bring = actions.add_parser("import", parents=[common], help="take a weights file from this machine")
    bring.add_argument("name", metavar="NAME")
    bring.add_argument("file", metavar="FILE")
    bring.set_defaults(run=import_model)
    _add_register(actions.add_parser("register", parents=[common], help="use files of your own where they lie"))
    drop = actions.add_parser("unregister", parents=[common], help="forget a registered model; its files stay")
    drop.add_argument("name", metavar="NAME")
    drop.set_defaults(run=unregister_model)


def _add_register(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=register_model)
    add = parser.add_argument
    add("name", metavar="NAME", help="what to call it: small letters, digits, underscores")
    add("files", metavar="FILE", nargs="+", help="graphs (.onnx), their vocabulary (.txt, .gz, .json) and weights")
    add("--family", required=True, choices=sorted(registered.FAMILY_KINDS), help="what kind of model it is")
    add("--title", default="", metavar="TEXT", help="what lists show")
    add("--licence", default="", metavar="TEXT", help="of the weights")
    add("--size", type=int, default=0, metavar="PX", help="side of the image that it works at (default: the family's)")
    add("--trait", action="append", default=[], metavar="TRAIT", help="what its graph does not tell, e.g. nonorm")


def _accept(store: ModelStore, spec: ModelSpec) -> None:
    store.accept(spec)
    where = f": {spec.licence_url}" if spec.licence_url else ""
    say(sys.stdout, f"Accepted for '{spec.name}': {spec.licence}{where}")
