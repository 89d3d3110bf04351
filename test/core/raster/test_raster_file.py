from __future__ import annotations

import math
import warnings
import zipfile

import numpy as np
import pytest
from prompt_segmenter.core import native
from prompt_segmenter.core.errors import Cancelled, GridError, MissingCrsError, RasterReadError
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster import crs
from prompt_segmenter.core.raster.grid import Window
from prompt_segmenter.core.raster.source import BandRole
from prompt_segmenter.core.raster.sources import SOURCES, open_source
from prompt_segmenter.test.helpers.rasters import NORTH_UP, UTM, write_raster

REAL = ["uint8", "uint16", "int16", "uint32", "int32", "float32", "float64"]


@pytest.fixture
def opened():
    """Open sources and close them at the end."""
    sources = []

    def open_one(uri, **options):
        sources.append(open_source(str(uri), **options))
        return sources[-1]

    yield open_one
    for source in sources:
        source.close()


def counting(dtype="uint8", bands=1, height=4, width=6):
    return np.arange(bands * height * width, dtype=dtype).reshape(bands, height, width)


def read_all(source, size=None, bands=None):
    grid = source.grid
    bands = bands or tuple(range(1, len(source.bands) + 1))
    return source.read(Window(0, 0, grid.width, grid.height), size or (grid.width, grid.height), bands)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("bands", [1, 2, 5])
def test_every_real_type_is_read_as_it_is(tmp_path, opened, dtype, bands):
    data = counting(dtype, bands)
    chip = read_all(opened(write_raster(tmp_path / "a.tif", data)))
    assert chip.data.dtype == np.dtype(dtype)
    assert np.array_equal(chip.data, data)
    assert chip.valid.all()


def test_a_window_is_read_at_its_place(tmp_path, opened):
    source = opened(write_raster(tmp_path / "a.tif", counting()))
    chip = source.read(Window(2, 1, 3, 2), (3, 2), (1,))
    assert chip.data.tolist() == [[[8, 9, 10], [14, 15, 16]]]
    assert chip.grid.bounds == (500020.0, 4599970.0, 500050.0, 4599990.0)
    assert chip.source_uri == source.uri


def test_bands_come_in_the_order_asked_for(tmp_path, opened):
    data = counting(bands=3, height=2, width=2)
    source = opened(write_raster(tmp_path / "a.tif", data, names=("first", "", "third")))
    chip = read_all(source, bands=(3, 1))
    assert np.array_equal(chip.data, data[[2, 0]])
    assert chip.band_names == ("third", "first")
    assert [band.name for band in source.bands] == ["first", "Band 2", "third"]


def test_fewer_pixels_are_the_mean_of_those_under_them(tmp_path, opened):
    data = np.array([[[0, 2, 10, 10], [4, 6, 10, 10]]], dtype="uint8")
    chip = read_all(opened(write_raster(tmp_path / "a.tif", data)), size=(2, 1))
    assert chip.data.tolist() == [[[3, 10]]]
    assert chip.grid.resolution == (20.0, 20.0)


def test_nodata_is_left_out_of_the_mean(tmp_path, opened):
    data = np.array([[[0, 100, 0, 0], [0, 100, 0, 0]]], dtype="uint8")
    source = opened(write_raster(tmp_path / "a.tif", data, nodata=0))
    assert read_all(source).valid.tolist() == [[False, True, False, False]] * 2
    chip = read_all(source, size=(2, 1))
    assert chip.valid.tolist() == [[True, False]]
    assert chip.data[0, 0, 0] == 100


def test_zero_in_one_band_of_three_is_a_dark_colour_and_no_nodata(tmp_path, opened):
    data = np.array([[[0, 0]], [[0, 7]], [[0, 9]]], dtype="uint8")
    chip = read_all(opened(write_raster(tmp_path / "a.tif", data, nodata=0)))
    assert chip.valid.tolist() == [[False, True]]


@pytest.mark.parametrize("nodata", [math.nan, -9999.0, -3.4028234663852886e38])
def test_float_nodata_of_every_kind_and_nan_and_infinity_are_unusable(tmp_path, opened, nodata):
    data = np.array([[[1.0, nodata, math.nan, math.inf, -math.inf, 0.0]]], dtype="float32")
    chip = read_all(opened(write_raster(tmp_path / "a.tif", data, nodata=nodata)))
    assert chip.valid.tolist() == [[True, False, False, False, False, True]]


@pytest.mark.parametrize("nodata", ["-9999", "nan", "300"])
def test_a_nodata_value_that_the_type_cannot_hold_masks_nothing(tmp_path, opened, nodata):
    write_raster(tmp_path / "a.tif", counting())
    vrt = f"""<VRTDataset rasterXSize="6" rasterYSize="4"><SRS>EPSG:32633</SRS>
      <GeoTransform>0, 1, 0, 0, 0, -1</GeoTransform><VRTRasterBand dataType="Byte" band="1">
      <NoDataValue>{nodata}</NoDataValue><SimpleSource><SourceFilename relativeToVRT="1">a.tif</SourceFilename>
      <SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"""
    (tmp_path / "a.vrt").write_text(vrt)
    assert read_all(opened(tmp_path / "a.vrt")).valid.all()


def test_transparent_pixels_are_unusable_and_translucent_ones_are_not(tmp_path, opened):
    data = np.full((4, 1, 3), 50, dtype="uint8")
    data[3] = [[0, 1, 255]]
    path = write_raster(tmp_path / "a.tif", data, photometric="RGB", alpha="yes")
    source = opened(path)
    assert [band.role for band in source.bands] == [BandRole.RED, BandRole.GREEN, BandRole.BLUE, BandRole.ALPHA]
    assert read_all(source, bands=(1, 2, 3)).valid.tolist() == [[False, True, True]]
    assert read_all(source).valid.tolist() == [[False, True, True]]


def test_a_mask_band_says_what_is_usable(tmp_path, opened):
    mask = np.array([[255, 0, 255]], dtype="uint8")
    path = write_raster(tmp_path / "a.tif", np.full((3, 1, 3), 9, dtype="uint8"), mask=mask)
    assert read_all(opened(path)).valid.tolist() == [[True, False, True]]


def test_a_palette_is_kept_and_its_values_are_not_averaged(tmp_path, opened):
    data = np.array([[[0, 2, 2, 2]]], dtype="uint8")
    palette = {0: (0, 0, 0, 255), 1: (255, 0, 0, 255), 2: (0, 255, 0, 255)}
    source = opened(write_raster(tmp_path / "a.tif", data, palette=palette))
    assert source.bands[0].role is BandRole.PALETTE
    assert source.bands[0].palette[:3] == ((0, 0, 0, 255), (255, 0, 0, 255), (0, 255, 0, 255))
    assert set(read_all(source, size=(2, 1)).data.ravel().tolist()) <= {0, 2}


def write_vrt(folder, *bands):
    """Write a VRT of 1 x 1 pixels whose bands are (type, colour interpretation, value), and return its path."""
    texts = []
    for number, (kind, colour, value) in enumerate(bands, start=1):
        path = write_raster(folder / f"{number}.tif", np.full((1, 1, 1), value, dtype=kind))
        name = {"uint8": "Byte", "uint16": "UInt16", "float32": "Float32"}[kind]
        texts.append(
            f'<VRTRasterBand dataType="{name}" band="{number}"><ColorInterp>{colour}</ColorInterp><SimpleSource>'
            f"<SourceFilename>{path}</SourceFilename></SimpleSource></VRTRasterBand>"
        )
    (folder / "a.vrt").write_text(
        f'<VRTDataset rasterXSize="1" rasterYSize="1"><SRS>{UTM}</SRS>'
        f"<GeoTransform>500000, 10, 0, 4600000, 0, -10</GeoTransform>{''.join(texts)}</VRTDataset>"
    )
    return folder / "a.vrt"


def test_a_palette_band_without_a_palette_is_grey(tmp_path, opened):
    source = opened(write_vrt(tmp_path, ("uint8", "Palette", 7)))
    assert (source.bands[0].role, source.bands[0].palette) == (BandRole.GRAY, ())
    assert read_all(source).data.tolist() == [[[7]]]


def test_bands_of_different_types_are_read_as_one_that_holds_all_of_them(tmp_path, opened):
    source = opened(write_vrt(tmp_path, ("uint8", "Undefined", 7), ("uint16", "Gray", 700), ("float32", "Gray", 0.5)))
    assert [band.dtype for band in source.bands] == ["uint8", "uint16", "float32"]
    chip = read_all(source)
    assert chip.data.dtype == np.float32
    assert chip.data.ravel().tolist() == [7.0, 700.0, 0.5]
    assert read_all(source, bands=(1, 2)).data.dtype == np.uint16


class StoppedAfter(NullProgress):
    def __init__(self, looks):
        self.looks = looks

    def is_cancelled(self):
        self.looks -= 1
        return self.looks < 0


@pytest.mark.parametrize(("interleave", "looks"), [("band", 5), ("pixel", 3)])
def test_a_read_stops_between_its_pieces(tmp_path, opened, interleave, looks):
    source = opened(write_raster(tmp_path / "a.tif", counting(bands=3), interleave=interleave))
    for allowed in range(looks):
        with pytest.raises(Cancelled):
            source.read(Window(0, 0, 6, 4), (6, 4), (1, 2, 3), StoppedAfter(allowed))
    chip = source.read(Window(0, 0, 6, 4), (6, 4), (1, 2, 3), StoppedAfter(looks))
    assert np.array_equal(chip.data, counting(bands=3))


def test_a_bands_description_is_its_role_where_nothing_else_is(tmp_path, opened):
    path = write_raster(tmp_path / "a.tif", counting("uint16", 4), names=("Blue", "green", "RED", "nir"))
    roles = [band.role for band in opened(path).bands]
    assert roles == [BandRole.BLUE, BandRole.GREEN, BandRole.RED, BandRole.NIR]


@pytest.mark.parametrize(
    "transform",
    [
        NORTH_UP,
        (10.0, 0.0, 500000.0, 0.0, 10.0, 4600000.0),
        (3.0, 0.0, 500000.0, 0.0, -7.0, 4600000.0),
        (8.66, 5.0, 500000.0, 5.0, -8.66, 4600000.0),
        (1.0, 0.5, 500000.0, 0.0, -1.0, 4600000.0),
    ],
    ids=["north-up", "south-up", "oblong", "rotated", "sheared"],
)
def test_the_files_own_pixels_are_kept_however_they_lie(tmp_path, opened, transform):
    source = opened(write_raster(tmp_path / "a.tif", counting(), transform=transform))
    assert source.grid.transform == pytest.approx(transform)
    assert source.grid.crs == UTM
    assert np.array_equal(read_all(source).data, counting())


def test_a_custom_crs_is_kept_as_wkt(tmp_path, opened):
    albers = "+proj=aea +lat_0=23 +lon_0=-96 +lat_1=29.5 +lat_2=45.5 +datum=WGS84 +units=m"
    source = opened(write_raster(tmp_path / "a.tif", counting(), crs=albers))
    assert source.grid.crs.startswith(("PROJCS", "PROJCRS"))
    assert crs.same(source.grid.crs, albers)


def test_without_a_crs_it_is_refused_unless_pixels_are_asked_for(tmp_path, opened):
    path = write_raster(tmp_path / "a.tif", counting(), crs=None, transform=None)
    with pytest.raises(MissingCrsError, match=r"a\.tif' has no coordinate reference system") as caught:
        open_source(path)
    assert "pixel space" in caught.value.hint
    grid = opened(path, pixel_space=True).grid
    assert grid.crs is None
    assert grid.to_pixel([(2.5, 1.5)]).tolist() == [[2.5, 1.5]]


def test_pixel_space_ignores_a_georeference(tmp_path, opened):
    grid = opened(write_raster(tmp_path / "a.tif", counting()), pixel_space=True).grid
    assert (grid.crs, grid.bounds) == (None, (0.0, 0.0, 6.0, 4.0))


def points_on(transform, pixels, bend=0.0):
    """Return ground control points of an affine transform, bent by ``bend`` map units per pixel squared."""
    a, b, c, d, e, f = transform
    point = native.rasterio().control.GroundControlPoint
    return [
        point(row=row, col=col, x=a * col + b * row + c + bend * row * row, y=d * col + e * row + f, z=0.0)
        for col, row in pixels
    ]


def test_control_points_of_a_straight_grid_place_the_files_own_pixels(tmp_path, opened):
    rotated = (8.0, 6.0, 500000.0, 6.0, -8.0, 4600000.0)
    points = points_on(rotated, [(0, 0), (6, 0), (6, 4), (0, 4)])
    source = opened(write_raster(tmp_path / "a.tif", counting(), crs=UTM, transform=None, gcps=points))
    assert source.grid.transform == pytest.approx(rotated)
    assert np.array_equal(read_all(source).data, counting())


def test_control_points_of_a_bent_grid_are_followed_by_warping(tmp_path, opened):
    data = np.zeros((1, 60, 60), dtype="uint8")
    data[0, 40:44, 20:24] = 200
    points = points_on(NORTH_UP, [(col, row) for col in (0, 20, 40, 60) for row in (0, 20, 40, 60)], bend=0.1)
    source = opened(write_raster(tmp_path / "a.tif", data, crs=UTM, transform=None, gcps=points))
    chip = read_all(source, bands=(1,))
    weights = chip.data[0] / chip.data.sum(dtype=float)
    rows, cols = np.indices(weights.shape)
    found = source.grid.to_map([((cols * weights).sum() + 0.5, (rows * weights).sum() + 0.5)])[0]
    # The square's middle is pixel (22, 42): 220 m right and 0.1 * 42^2 = 176.4 m more, 420 m down.
    assert found == pytest.approx((500000.0 + 220.0 + 176.4, 4600000.0 - 420.0), abs=2.0)
    assert not chip.valid.all()


def test_control_points_on_one_line_are_no_affine_grid(tmp_path, opened):
    points = points_on(NORTH_UP, [(0, 0), (2, 2), (4, 4)])
    path = write_raster(tmp_path / "a.tif", counting(), crs=UTM, transform=None, gcps=points)
    with pytest.raises(RasterReadError, match="The georeference of"):
        open_source(path)


def test_control_points_win_over_a_geotransform_that_says_nothing(tmp_path, opened):
    points = points_on(NORTH_UP, [(col, row) for col in (0, 30, 60) for row in (0, 30, 60)], bend=0.1)
    path = write_raster(tmp_path / "a.tif", np.ones((1, 60, 60), dtype="uint8"), crs=UTM, transform=None, gcps=points)
    listed = "".join(
        f'<GCP Id="" Pixel="{point.col}" Line="{point.row}" X="{point.x!r}" Y="{point.y!r}"/>' for point in points
    )
    vrt = f"""<VRTDataset rasterXSize="60" rasterYSize="60"><SRS>EPSG:32633</SRS>
      <GeoTransform>0, 1, 0, 0, 0, 1</GeoTransform><GCPList Projection="EPSG:32633">{listed}</GCPList>
      <VRTRasterBand dataType="Byte" band="1"><SimpleSource><SourceFilename relativeToVRT="1">a.tif</SourceFilename>
      </SimpleSource></VRTRasterBand></VRTDataset>"""
    (tmp_path / "a.vrt").write_text(vrt)
    assert opened(tmp_path / "a.vrt").grid.bounds == pytest.approx(opened(path).grid.bounds)


def test_a_camera_model_places_a_raster_at_its_mean_height(tmp_path, opened):
    rpc = native.rasterio().rpc.RPC(
        height_off=100.0, height_scale=500.0, lat_off=45.0, lat_scale=0.05, long_off=10.0, long_scale=0.05,
        line_off=500.0, line_scale=500.0, samp_off=500.0, samp_scale=500.0,
        line_num_coeff=[0.0, 0.0, -1.0, 0.5] + [0.0] * 16, line_den_coeff=[1.0] + [0.0] * 19,
        samp_num_coeff=[0.0, 1.0] + [0.0] * 18, samp_den_coeff=[1.0] + [0.0] * 19, err_bias=0.0, err_rand=0.0,
    )  # fmt: skip
    data = np.ones((1, 1000, 1000), dtype="uint8")
    grid = opened(write_raster(tmp_path / "a.tif", data, crs=None, transform=None, rpcs=rpc)).grid
    assert grid.crs == "EPSG:4326"
    assert grid.bounds == pytest.approx((9.95, 44.95, 10.05, 45.05), abs=2e-4)


def test_a_zip_opens_as_the_one_raster_inside(tmp_path, opened):
    inner = write_raster(tmp_path / "inner.tif", counting())
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "not a raster")
        archive.write(inner, "folder/inner.tif")
    assert np.array_equal(read_all(opened(tmp_path / "a.zip")).data, counting())
    assert np.array_equal(read_all(opened(f"/vsizip/{tmp_path}/a.zip/folder/inner.tif")).data, counting())


def test_a_zip_of_several_rasters_names_them(tmp_path):
    inner = write_raster(tmp_path / "inner.tif", counting())
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(inner, "one.tif")
        archive.write(inner, "two.tif")
    with pytest.raises(RasterReadError, match="holds 2 rasters") as caught:
        open_source(str(tmp_path / "a.zip"))
    assert "/vsizip/" in caught.value.hint and "one.tif" in caught.value.hint


def test_a_zip_without_a_raster_says_so(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "not a raster")
    with pytest.raises(RasterReadError, match="holds no raster"):
        open_source(str(tmp_path / "a.zip"))


def test_a_container_of_rasters_names_those_inside(tmp_path):
    path = tmp_path / "a.gpkg"
    rasterio = native.rasterio()
    for index in range(2):
        with rasterio.open(
            path, "w", driver="GPKG", count=1, height=4, width=6, dtype="uint8", crs=UTM, RASTER_TABLE=f"layer{index}",
            transform=rasterio.transform.guard_transform(NORTH_UP), APPEND_SUBDATASET="YES" if index else "NO",
        ) as target:  # fmt: skip
            target.write(counting())
    with pytest.raises(RasterReadError, match="2 rasters inside") as caught:
        open_source(str(path))
    assert "layer0" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "There is no file"), (b"", r"is empty \(0 bytes\)"), (b"hello, world", "can't be opened as a raster")],
)
def test_what_is_no_raster_is_refused_with_the_reason(tmp_path, content, sentence):
    if content is not None:
        (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(RasterReadError, match=sentence) as caught:
        open_source(str(tmp_path / "a.tif"))
    assert "a.tif" in caught.value.message and caught.value.hint


def test_a_folder_and_an_empty_name_are_refused(tmp_path):
    with pytest.raises(RasterReadError, match="is a folder"):
        open_source(str(tmp_path))
    with pytest.raises(RasterReadError, match="No raster was given"):
        open_source(" ")


def test_a_server_out_of_reach_is_named():
    with pytest.raises(RasterReadError, match=r"http://127\.0\.0\.1:9/a\.tif") as caught:
        open_source("http://me:secret@127.0.0.1:9/a.tif")
    assert "secret" not in str(caught.value)


def test_a_file_cut_short_is_refused_when_its_pixels_are_read(tmp_path, opened, capfd):
    noise = np.random.default_rng(1).integers(0, 255, (1, 200, 200), dtype="uint8")
    whole = write_raster(tmp_path / "a.tif", noise, compress="deflate")
    content = (tmp_path / "a.tif").read_bytes()
    with native.rasterio().open(whole) as dataset:
        assert dataset.width == 200
    (tmp_path / "cut.tif").write_bytes(content[: len(content) // 2])
    with pytest.raises(RasterReadError, match=r"Band 1 of .*cut\.tif' can't be read") as caught:
        read_all(opened(tmp_path / "cut.tif"))
    assert "damaged" in caught.value.hint
    assert "ERROR" not in capfd.readouterr().err


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_numbers_are_refused_with_what_to_do(tmp_path, dtype):
    path = write_raster(tmp_path / "a.tif", np.ones((1, 2, 2), dtype=dtype))
    with pytest.raises(RasterReadError, match=f"complex numbers \\({dtype}\\)") as caught:
        open_source(path)
    assert "amplitude" in caught.value.hint


def test_a_flat_geotransform_is_refused(tmp_path):
    write_raster(tmp_path / "a.tif", counting())
    vrt = """<VRTDataset rasterXSize="6" rasterYSize="4"><SRS>EPSG:32633</SRS>
      <GeoTransform>0, 1, 2, 0, 2, 4</GeoTransform><VRTRasterBand dataType="Byte" band="1">
      <SimpleSource><SourceFilename relativeToVRT="1">a.tif</SourceFilename></SimpleSource></VRTRasterBand>
      </VRTDataset>"""
    (tmp_path / "a.vrt").write_text(vrt)
    with pytest.raises(GridError, match="can't be inverted"):
        open_source(str(tmp_path / "a.vrt"))


@pytest.mark.parametrize(
    ("window", "size", "bands"),
    [
        (Window(4, 0, 3, 2), (3, 2), (1,)),
        (Window(-1, 0, 3, 2), (3, 2), (1,)),
        (Window(0, 0, 3, 2), (4, 2), (1,)),
        (Window(0, 0, 3, 2), (0, 2), (1,)),
        (Window(0, 0, 3, 2), (3, 2), (2,)),
        (Window(0, 0, 3, 2), (3, 2), ()),
    ],
)
def test_a_read_outside_its_contract_is_a_programming_error(tmp_path, opened, window, size, bands):
    source = opened(write_raster(tmp_path / "a.tif", counting()))
    with pytest.raises(ValueError, match="expected"):
        source.read(window, size, bands)


def test_opening_and_reading_warn_of_nothing(tmp_path, opened):
    path = write_raster(tmp_path / "a.tif", counting(), crs=None, transform=None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_all(opened(path, pixel_space=True))


def test_credentials_never_show(opened):
    # Nobody listens at the port: GDAL fails at once, and its own words repeat the address.
    with pytest.raises(RasterReadError) as caught:
        opened("/vsicurl/http://me:geheim@127.0.0.1:9/a.tif?access_token=geheim&v=1")
    assert "geheim" not in str(caught.value)
    assert "'/vsicurl/http://127.0.0.1:9/a.tif?access_token=***&v=1'" in caught.value.message


def test_files_are_one_kind_of_source_in_the_registry():
    assert "raster_file" in SOURCES.names()
    assert SOURCES.get("raster_file").accepts("anything.tif")
