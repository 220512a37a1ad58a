"""The color pass against a compiled fused one: at most 3.2 times its time."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kroma_nb.model.postprocess import ColorProfile
from kroma_nb.passes import color

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = pytest.mark.benchmark

LIMIT = 3.2
EVERYTHING = ColorProfile(
    brightness=0.97,
    contrast=1.1,
    saturation=0.95,
    sharpness=1.3,
    gamma=1.03,
    autocontrast_cutoff=0.5,
    red_multiplier=0.97,
    green_multiplier=1.01,
    blue_multiplier=1.05,
)

SOURCE = r"""
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* brightness contrast saturation sharpness gamma cutoff red green blue */
static void curves(const uint8_t *in, long n, const float *p, float out[3][256]) {
    static const double luma[3] = {0.299, 0.587, 0.114};
    uint32_t h[4][3][256];
    memset(h, 0, sizeof h);
    long i = 0;
    for (; i + 4 <= n; i += 4)
        for (int k = 0; k < 4; k++)
            for (int c = 0; c < 3; c++) h[k][c][in[3 * (i + k) + c]]++;
    for (; i < n; i++)
        for (int c = 0; c < 3; c++) h[0][c][in[3 * i + c]]++;
    double mean = 0;
    for (int c = 0; c < 3; c++) {
        long count[256], total = 0, cut = (long)(n * (double)p[5] / 100);
        for (int v = 0; v < 256; v++) count[v] = (long)h[0][c][v] + h[1][c][v] + h[2][c][v] + h[3][c][v];
        int low = 0, high = 255;
        for (long sum = 0; low < 255 && (sum += count[low]) <= cut; low++) {}
        for (long sum = 0; high > 0 && (sum += count[high]) <= cut; high--) {}
        double moment = 0;
        for (int v = 0; v < 256; v++) {
            double x = v;
            if (p[5] > 0 && high > low) x = fmin(fmax((v - low) * 255.0 / (high - low), 0), 255);
            out[c][v] = x * p[0];
            moment += count[v] * (double)out[c][v];
            total += count[v];
        }
        mean += luma[c] * moment / total;
    }
    for (int c = 0; c < 3; c++)
        for (int v = 0; v < 256; v++) out[c][v] = mean + (out[c][v] - mean) * p[1];
}

static void fill(const uint8_t *in, long w, float s, float curve[3][256], float *row) {
    for (long x = 0; x < w; x++) {
        float r = curve[0][in[3 * x]], g = curve[1][in[3 * x + 1]], b = curve[2][in[3 * x + 2]];
        float y = (1 - s) * (0.299f * r + 0.587f * g + 0.114f * b);
        row[3 * x + 3] = y + r * s;
        row[3 * x + 4] = y + g * s;
        row[3 * x + 5] = y + b * s;
    }
    memcpy(row, row + 3, 3 * sizeof *row);
    memcpy(row + 3 * w + 3, row + 3 * w, 3 * sizeof *row);
}

void fused(const uint8_t *in, uint8_t *out, long h, long w, const float *p) {
    enum { FINE = 16, TOP = 300 * FINE };
    float curve[3][256];
    static uint8_t table[3][TOP + 1];
    curves(in, h * w, p, curve);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i <= TOP; i++)
            table[c][i] = (uint8_t)fminf(255.0f * powf(i / (255.0f * FINE), 1 / p[4]) * p[6 + c] + 0.5f, 255.0f);
    long n = 3 * (w + 2);
    float *rows = malloc(3 * n * sizeof *rows);
    int *index = malloc(n * sizeof *index);
    float a = (1 - p[3]) / 13, m = p[3] + 5 * a;
    fill(in, w, p[2], curve, rows);
    memcpy(rows + 2 * n, rows, n * sizeof *rows);
    for (long y = 0; y < h; y++) {
        float *up = rows + ((y + 2) % 3) * n, *here = rows + (y % 3) * n, *down = rows + ((y + 1) % 3) * n;
        if (y + 1 < h) fill(in + 3 * (y + 1) * w, w, p[2], curve, down);
        else memcpy(down, here, n * sizeof *rows);
        for (long i = 3; i < n - 3; i++) {
            float ring = up[i - 3] + up[i] + up[i + 3] + here[i - 3] + here[i + 3];
            ring += down[i - 3] + down[i] + down[i + 3];
            float v = (a * ring + m * here[i]) * FINE + 0.5f;
            index[i] = (int)(v < 0 ? 0 : v > TOP ? TOP : v);
        }
        uint8_t *to = out + 3 * y * w;
        for (long x = 0; x < w; x++)
            for (int c = 0; c < 3; c++) to[3 * x + c] = table[c][index[3 * x + 3 + c]];
    }
    free(rows);
    free(index);
}
"""


@pytest.fixture(scope="module")
def fused(tmp_path_factory: pytest.TempPathFactory):
    """The compiled pass: one read, three rows of floats, one write."""
    compiler = shutil.which("cc")
    if compiler is None:
        if os.environ.get("CI"):
            pytest.fail("there is no C compiler")
        pytest.skip("there is no C compiler")
    library = compiled(compiler, tmp_path_factory.mktemp("fused"))

    def run(picture: NDArray[np.uint8], profile: ColorProfile) -> NDArray[np.uint8]:
        values = np.array(list(profile.model_dump().values()), np.float32)
        result = np.empty_like(picture)
        library.fused(
            picture.ctypes.data_as(ctypes.c_void_p),
            result.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_long(picture.shape[0]),
            ctypes.c_long(picture.shape[1]),
            values.ctypes.data_as(ctypes.c_void_p),
        )
        return result

    return run


def compiled(compiler: str, folder: Path) -> ctypes.CDLL:
    source, library = folder / "fused.c", folder / "fused.so"
    source.write_text(SOURCE)
    command = [compiler, "-O3", "-march=native", "-shared", "-fPIC", "-o", str(library), str(source), "-lm"]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(library))


def test_the_compiled_pass_gives_the_same_picture(fused, photographs) -> None:
    ours, theirs = color(photographs[0], EVERYTHING), fused(photographs[0], EVERYTHING)

    difference = np.abs(ours.astype(int) - theirs)
    assert difference.max() <= 1
    assert difference.mean() < 0.1


@pytest.mark.parametrize(
    "profile", [EVERYTHING, EVERYTHING.model_copy(update={"gamma": 1.0})], ids=["everything", "without gamma"]
)
def test_the_pass_takes_at_most_3_2_times_a_compiled_one(ratios, fused, photographs, profile) -> None:
    times = ratios(
        lambda index: fused(photographs[index % len(photographs)], profile),
        ours=lambda index: color(photographs[index % len(photographs)], profile),
    )

    print(f"ours {times['ours']:.2f}")
    assert times["ours"] <= LIMIT
