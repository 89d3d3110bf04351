"""Pictures of where the starter model fails: ``python -m benchmarks.failures`` from the repository root.

The worst objects after one click, of the generated scenes that training never saw and of real labelled images, each
with what it is (white) and what was answered (magenta), the click and the IoU. Real images are other people's: their
picture goes to the build folder and not into the repository.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .classical import Asked
from .click_accuracy import InSession, iou, load
from .objects import Target, data_folder, generated, real

TILE_PX, COLUMNS = 192, 6
WANTED, ANSWERED, CLICKED = (255, 255, 255), (255, 0, 200), (255, 235, 0)
MARGIN = 1.6


def tile(target: Target, answer: NDArray[np.bool_], reached: float) -> NDArray[np.uint8]:
    """One object with both outlines, TILE_PX square."""
    rows, cols = np.nonzero(target.mask | answer)
    side = int(max(np.ptp(rows), np.ptp(cols), 24) * MARGIN)
    side = min(side, *target.mask.shape)
    top, left = (int(np.clip(v.mean() - side / 2, 0, size - side)) for v, size in zip((rows, cols), target.mask.shape))
    view = (slice(top, top + side), slice(left, left + side))
    method = cv2.INTER_AREA if side > TILE_PX else cv2.INTER_CUBIC
    picture = cv2.resize(np.ascontiguousarray(target.image[view]), (TILE_PX, TILE_PX), interpolation=method)
    for mask, colour in ((target.mask, WANTED), (answer, ANSWERED)):
        sized = cv2.resize(mask[view].astype(np.uint8), (TILE_PX, TILE_PX), interpolation=cv2.INTER_NEAREST)
        lines, _ = cv2.findContours(sized, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, lines, -1, colour, 1, cv2.LINE_AA)
    scale = TILE_PX / side
    click = (round((target.include[0] - left) * scale), round((target.include[1] - top) * scale))
    cv2.drawMarker(picture, click, CLICKED, cv2.MARKER_CROSS, 9, 2)
    cv2.putText(picture, f"{reached:.2f}", (5, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(picture, f"{reached:.2f}", (5, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, WANTED, 1, cv2.LINE_AA)
    return picture


def sheet(method: InSession, targets: list[Target], count: int) -> NDArray[np.uint8]:
    """The worst objects after one click, the worst first."""
    tiles = []
    for target in targets:
        answer = method(target.image, Asked(include=(target.include,)))
        reached = iou(answer, target.mask)
        tiles.append((reached, tile(target, answer, reached)))
    worst = [picture for _, picture in sorted(tiles, key=lambda item: item[0])[:count]]
    worst += [np.zeros_like(worst[0])] * (-len(worst) % COLUMNS)
    rows = [np.concatenate(worst[start : start + COLUMNS], axis=1) for start in range(0, len(worst), COLUMNS)]
    return np.concatenate(rows)


def main() -> None:
    """Draw as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/images/starter_failures.jpg"), help="generated scenes")
    parser.add_argument("--real-out", type=Path, default=Path("build/starter_failures_real.png"), help="real images")
    parser.add_argument("--generated", type=int, default=96, help="generated objects to choose from")
    parser.add_argument("--count", type=int, default=18, help="objects in a picture")
    parser.add_argument("--models", type=Path, help="folder with other starter graphs than the plugin's own")
    options = parser.parse_args()
    options.chip = options.scales = options.zoom_in = None
    method = InSession(load(options))
    groups = {options.out: list(generated(options.generated))}
    folder = data_folder()
    if folder is not None:
        groups[options.real_out] = list(real(folder))
    for path, targets in groups.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), sheet(method, targets, options.count)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
        print(f"{path}: {len(targets)} objects")


if __name__ == "__main__":
    main()
