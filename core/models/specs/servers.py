"""The models that run on the user's servers: see :mod:`..catalogue` for what is listed."""

from __future__ import annotations

from ..model import LookPolicy, ModelSpec

_SAM_PAPER = "https://arxiv.org/abs/2304.02643"


def _samgeo(
    version: str, title: str, *, identifier: str, accepts: frozenset[str], licence: str, page: str
) -> ModelSpec:
    return ModelSpec(
        name=f"samgeo_{version}",
        title=f"{title} on a samgeo server",
        family="samgeo_server",
        accepts=accepts,
        files=(),
        input_size_px=1024,
        licence=licence,
        citation_url=page,
        # Each look is a request with an image in it: one chip of about the model's own size, and no second look.
        look=LookPolicy(1024),
        traits=frozenset({f"model={version}:{identifier}"}),
        server="samgeo",
    )


SPECS: tuple[ModelSpec, ...] = (
    ModelSpec(
        name="samgis",
        title="SamGIS server",
        family="samgis",
        accepts=frozenset({"point", "box", "words"}),
        files=(),
        input_size_px=1024,
        licence="MIT (server), the server's own choice (weights)",
        citation_url="https://github.com/trincadev/samgis-be",
        server="samgis",
        fetches_map=True,
    ),
    _samgeo(
        "sam3",
        "SAM 3",
        identifier="facebook/sam3",
        accepts=frozenset({"point", "box", "words", "example", "everything"}),
        licence="SAM License (the server's weights)",
        page="https://arxiv.org/abs/2511.16719",
    ),
    _samgeo(
        "sam2",
        "SAM 2",
        identifier="sam2-hiera-large",
        accepts=frozenset({"point", "everything"}),
        licence="Apache-2.0 (the server's weights)",
        page="https://arxiv.org/abs/2408.00714",
    ),
    _samgeo(
        "sam",
        "SAM",
        identifier="vit_h",
        accepts=frozenset({"point", "everything"}),
        licence="Apache-2.0 (the server's weights)",
        page=_SAM_PAPER,
    ),
)
"""Those that take pixels, then those that fetch the map themselves."""
