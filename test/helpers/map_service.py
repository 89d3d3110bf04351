"""A WMS and a WMTS on the loopback that know one thing: where their rectangle is."""

from __future__ import annotations

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import numpy as np
from prompt_segmenter.test.helpers.loopback import serving
from qgis.PyQt.QtCore import QBuffer, QByteArray, QIODevice
from qgis.PyQt.QtGui import QImage

LEFT, BOTTOM, RIGHT, TOP = 1_669_800.0, 5_095_000.0, 1_670_200.0, 5_095_300.0
"""The rectangle in EPSG:3857: red 220 on red 30."""
EDGE = 20037508.342789244
ZOOM = 17

_WMS = """<?xml version="1.0" encoding="UTF-8"?>
<WMS_Capabilities version="1.3.0" xmlns="http://www.opengis.net/wms" xmlns:xlink="http://www.w3.org/1999/xlink">
<Service><Name>WMS</Name><Title>t</Title><OnlineResource xlink:href="{url}"/></Service>
<Capability><Request>
<GetCapabilities><Format>text/xml</Format>
<DCPType><HTTP><Get><OnlineResource xlink:href="{url}?"/></Get></HTTP></DCPType></GetCapabilities>
<GetMap><Format>image/png</Format>
<DCPType><HTTP><Get><OnlineResource xlink:href="{url}?"/></Get></HTTP></DCPType></GetMap>
</Request><Exception><Format>XML</Format></Exception>
<Layer><Title>root</Title><CRS>EPSG:3857</CRS>
<Layer><Name>rectangle</Name><Title>rectangle</Title><CRS>EPSG:3857</CRS>
<EX_GeographicBoundingBox><westBoundLongitude>14</westBoundLongitude><eastBoundLongitude>16</eastBoundLongitude>
<southBoundLatitude>40</southBoundLatitude><northBoundLatitude>43</northBoundLatitude></EX_GeographicBoundingBox>
<BoundingBox CRS="EPSG:3857" minx="1600000" miny="5000000" maxx="1750000" maxy="5200000"/>
</Layer></Layer></Capability></WMS_Capabilities>"""

_WMTS = """<?xml version="1.0" encoding="UTF-8"?>
<Capabilities xmlns="http://www.opengis.net/wmts/1.0" xmlns:ows="http://www.opengis.net/ows/1.1"
 xmlns:xlink="http://www.w3.org/1999/xlink" version="1.0.0">
<ows:OperationsMetadata>
<ows:Operation name="GetTile"><ows:DCP><ows:HTTP><ows:Get xlink:href="{url}?"><ows:Constraint name="GetEncoding">
<ows:AllowedValues><ows:Value>KVP</ows:Value></ows:AllowedValues></ows:Constraint></ows:Get></ows:HTTP></ows:DCP>
</ows:Operation></ows:OperationsMetadata>
<Contents><Layer><ows:Title>rectangle</ows:Title>
<ows:WGS84BoundingBox><ows:LowerCorner>14 40</ows:LowerCorner><ows:UpperCorner>16 43</ows:UpperCorner>
</ows:WGS84BoundingBox>
<ows:Identifier>rectangle</ows:Identifier><Style isDefault="true"><ows:Identifier>default</ows:Identifier></Style>
<Format>image/png</Format><TileMatrixSetLink><TileMatrixSet>web</TileMatrixSet></TileMatrixSetLink></Layer>
<TileMatrixSet><ows:Identifier>web</ows:Identifier><ows:SupportedCRS>urn:ogc:def:crs:EPSG::3857</ows:SupportedCRS>
<TileMatrix><ows:Identifier>{zoom}</ows:Identifier><ScaleDenominator>{scale}</ScaleDenominator>
<TopLeftCorner>-20037508.342789244 20037508.342789244</TopLeftCorner><TileWidth>256</TileWidth>
<TileHeight>256</TileHeight><MatrixWidth>{count}</MatrixWidth><MatrixHeight>{count}</MatrixHeight></TileMatrix>
</TileMatrixSet></Contents></Capabilities>"""


def picture(bounds, width, height):
    """Return the PNG of map bounds (left, bottom, right, top)."""
    left, bottom, right, top = bounds
    x = left + (np.arange(width) + 0.5) * (right - left) / width
    y = top - (np.arange(height) + 0.5) * (top - bottom) / height
    inside = ((y > BOTTOM) & (y < TOP))[:, np.newaxis] & ((x > LEFT) & (x < RIGHT))
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[..., 0] = np.where(inside, 220, 30)
    image = QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888)
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(content)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        asked = {name.upper(): values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        kind, body = "text/xml", b""
        if asked.get("REQUEST") == "GetMap":
            bounds = tuple(float(side) for side in asked["BBOX"].split(","))
            kind, body = "image/png", picture(bounds, int(asked["WIDTH"]), int(asked["HEIGHT"]))
        elif asked.get("REQUEST") == "GetTile":
            side = 2 * EDGE / 2**ZOOM
            left, top = -EDGE + int(asked["TILECOL"]) * side, EDGE - int(asked["TILEROW"]) * side
            kind, body = "image/png", picture((left, top - side, left + side, top), 256, 256)
        elif asked.get("SERVICE") == "WMTS":
            scale = 2 * EDGE / 2**ZOOM / 256 / 0.00028
            body = _WMTS.format(url=url, zoom=ZOOM, scale=scale, count=2**ZOOM).encode()
        else:
            body = _WMS.format(url=url).encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextmanager
def map_service():
    """Yield the address of a running service."""
    with serving(_Handler) as url:
        yield f"{url}/"
