"""Stand-ins for the programs of Real-ESRGAN: as strict about their words as those, and able to fail like them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Install = Callable[..., Path]

# Enlarges without smoothing; `mode` is how it fails.
_ENLARGE = """
import os, sys, time
from PIL import Image

def enlarge(source, target, scale, mode):
    page = Image.open(source)
    assert page.mode == "RGB", page.mode
    if mode == "hangs":
        time.sleep(60)
    if mode == "exits 255":
        print("decode image failed", file=sys.stderr)
        sys.exit(255)
    if mode == "writes nothing":
        return
    if mode == "writes text":
        return open(target, "w").write("no picture")
    if mode == "writes half":
        page.resize((page.width * scale, page.height * scale)).save(target)
        half = open(target, "rb").read()[:-60]
        return open(target, "wb").write(half)
    if mode == "links":
        return os.symlink("/etc/hostname", target)
    if mode == "writes a wrong size":
        scale += 1
    if min(page.size) <= 10:
        page = Image.new("RGB", page.size)  # as the ncnn builds do
    page.resize((page.width * scale, page.height * scale), Image.Resampling.NEAREST).save(target)
"""
_PROGRAM = """
words = sys.argv[1:]
given = dict(zip(words[::2], words[1::2]))
open({log!r}, "a").write(" ".join(words) + chr(10))
assert set(given) - {{"-g"}} == {{"-i", "-o", "-s", "-n", "-m", "-t", "-f"}}, words
assert given["-f"] == "png" and os.path.isdir(given["-m"])
scale = int(given["-s"])
stem = given["-n"] + (f"-x{{scale}}" if given["-n"] == "realesr-animevideov3" else "")
assert os.path.isfile(os.path.join(given["-m"], stem + ".bin")), stem
for part in ("0.00%", "50.00%", "100.00%"):
    print(part, file=sys.stderr)
if {mode!r} == "runs out of memory":
    print("vkAllocateMemory failed -2", file=sys.stderr)
enlarge(given["-i"], given["-o"], scale, {mode!r})
"""
_SCRIPT = """
import argparse
parser = argparse.ArgumentParser(allow_abbrev=False)
parser.add_argument("-i", "--input", required=True)
parser.add_argument("-n", "--model_name", default="RealESRGAN_x4plus")
parser.add_argument("-o", "--output", default="results")
parser.add_argument("-dn", "--denoise_strength", type=float, default=0.5)
parser.add_argument("-s", "--outscale", type=float, default=4)
parser.add_argument("--model_path")
parser.add_argument("--suffix", default="out")
parser.add_argument("-t", "--tile", type=int, default=0)
parser.add_argument("--tile_pad", type=int, default=10)
parser.add_argument("--pre_pad", type=int, default=0)
parser.add_argument("--face_enhance", action="store_true")
parser.add_argument("--fp32", action="store_true")
parser.add_argument("--alpha_upsampler", default="realesrgan")
parser.add_argument("--ext", default="auto")
parser.add_argument("-g", "--gpu-id", type=int)
args = parser.parse_args()
open({log!r}, "a").write(" ".join(sys.argv[1:]) + chr(10))
assert os.path.isfile(args.model_path), "it would download now"
os.makedirs(args.output, exist_ok=True)
stem, extension = os.path.splitext(os.path.basename(args.input))
print("Testing 0", stem)
if {mode!r} == "runs out of memory":
    print("Error CUDA out of memory")
    print("If you encounter CUDA out of memory, try to set --tile with a smaller number.")
    sys.exit(0)
if {mode!r} == "loses a tile":
    print("Error CUDA out of memory")
    print("\\tTile 1/4")
extension = extension[1:] if args.ext == "auto" else args.ext
enlarge(args.input, os.path.join(args.output, f"{{stem}}_{{args.suffix}}.{{extension}}"), int(args.outscale), {mode!r})
"""
NCNN_FILES = [
    *(f"realesr-animevideov3-x{scale}.{kind}" for scale in (2, 3, 4) for kind in ("param", "bin")),
    *(f"{stem}.{kind}" for stem in ("realesrgan-x4plus", "realesrgan-x4plus-anime") for kind in ("param", "bin")),
]


@pytest.fixture
def page() -> Picture:
    """A small page of several colours, 48 wide and 40 high."""
    ramp = np.linspace(0, 255, 1920).astype(np.uint8).reshape(40, 48)
    return np.dstack([ramp, ramp[::-1], ramp[:, ::-1]])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where a stand-in writes the words that it got, a call a line."""
    return tmp_path / "words"


@pytest.fixture
def program(tmp_path: Path, log: Path) -> Install:
    """Install a stand-in for realesrgan-ncnn-vulkan with its models, and give its path."""

    def install(mode: str = "works") -> Path:
        path = tmp_path / "ncnn" / "realesrgan-ncnn-vulkan"
        (path.parent / "models").mkdir(parents=True, exist_ok=True)
        for name in NCNN_FILES:
            (path.parent / "models" / name).write_text(name)
        path.write_text(f"#!{sys.executable}\n{_ENLARGE}{_PROGRAM.format(log=str(log), mode=mode)}")
        path.chmod(0o755)
        return path

    return install


@pytest.fixture
def script(tmp_path: Path, log: Path) -> Install:
    """Install a stand-in for a copy of Real-ESRGAN with its environment and weights, and give the script's path."""

    def install(mode: str = "works", *, packages: tuple[str, ...] = ("torch", "basicsr")) -> Path:
        home = tmp_path / "Real-ESRGAN"
        (home / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
        (home / "weights").mkdir(exist_ok=True)
        for name in ("RealESRGAN_x4plus", "RealESRGAN_x2plus", "realesr-general-x4v3", "realesr-general-wdn-x4v3"):
            (home / "weights" / f"{name}.pth").write_text(name)
        for name in packages:
            facts = home / "site" / f"{name}-2.5.1.dist-info"
            facts.mkdir(parents=True, exist_ok=True)
            (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.5.1\n")
        python = home / ".venv" / "bin" / "python"
        python.write_text(f'#!/bin/sh\nPYTHONPATH={home}/site exec {sys.executable} "$@"\n')
        python.chmod(0o755)
        path = home / "inference_realesrgan.py"
        path.write_text(_ENLARGE + _SCRIPT.format(log=str(log), mode=mode))
        return path

    return install


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a folder for temporary files that a test can look into."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def nearest(picture: Picture, scale: int) -> Picture:
    """Enlarge as the stand-ins do."""
    size = (picture.shape[1] * scale, picture.shape[0] * scale)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST), np.uint8)
