"""Pixels in and out of files: array types, loading upright with colour profile and alpha, saving, sizes, thumbnails."""

from kroma_nb.images.enlarging import SCALES, enlarge
from kroma_nb.images.header import probe, probe_whole
from kroma_nb.images.hidden import fill_hidden
from kroma_nb.images.info import MediaType, PictureInfo, PixelMode
from kroma_nb.images.picture import Gray8, Picture, Rgb8, Rgba8, as_rgb, checked, is_gray, is_picture
from kroma_nb.images.reading import MAX_PIXELS, load, upright
from kroma_nb.images.sizing import fit, resize, thumbnail
from kroma_nb.images.writing import Writer, as_stored, encode, encode_png, save

__all__ = [
    "MAX_PIXELS",
    "SCALES",
    "Gray8",
    "MediaType",
    "Picture",
    "PictureInfo",
    "PixelMode",
    "Rgb8",
    "Rgba8",
    "Writer",
    "as_rgb",
    "as_stored",
    "checked",
    "encode",
    "encode_png",
    "enlarge",
    "fill_hidden",
    "fit",
    "is_gray",
    "is_picture",
    "load",
    "probe",
    "probe_whole",
    "resize",
    "save",
    "thumbnail",
    "upright",
]
