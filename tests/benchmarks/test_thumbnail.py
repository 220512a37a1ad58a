"""Thumbnails against decoding alone: 1.35 times from a PNG, twice from a JPEG, WebP encoding included."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from kroma_nb.images import thumbnail

pytestmark = pytest.mark.benchmark


@pytest.mark.parametrize(("kind", "limit"), [("PNG", 1.35), ("JPEG", 2.0)])
def test_a_thumbnail_costs_little_more_than_decoding(ratios, photographs, kind: str, limit: float) -> None:
    files = []
    for photograph in photographs:
        file = io.BytesIO()
        Image.fromarray(photograph).save(file, kind)
        files.append(file.getvalue())

    times = ratios(
        lambda index: cv2.imdecode(np.frombuffer(files[index % len(files)], np.uint8), cv2.IMREAD_COLOR),
        ours=lambda index: thumbnail(files[index % len(files)], 256),
    )

    print(f"{kind} {times['ours']:.2f}")
    assert times["ours"] <= limit
