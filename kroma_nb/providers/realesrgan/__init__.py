"""Upscalers that ask Real-ESRGAN: in this process, through its command-line program, or through its Python script."""

from kroma_nb.providers.realesrgan.finding import find_ncnn, find_python
from kroma_nb.providers.realesrgan.models import NCNN_SCALES, PYTHON_SCALES
from kroma_nb.providers.realesrgan.package import NcnnPackage
from kroma_nb.providers.realesrgan.program import NcnnProgram
from kroma_nb.providers.realesrgan.script import PythonScript

__all__ = ["NCNN_SCALES", "PYTHON_SCALES", "NcnnPackage", "NcnnProgram", "PythonScript", "find_ncnn", "find_python"]
