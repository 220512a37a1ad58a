"""Small ONNX models, written as the bytes that the format lays down (onnx.proto3); nothing needs to be installed."""

from __future__ import annotations

import struct
from pathlib import Path

FLOAT = 1


def _varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def _number(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _bytes(field: int, data: bytes | str) -> bytes:
    raw = data.encode() if isinstance(data, str) else data
    return _varint(field << 3 | 2) + _varint(len(raw)) + raw


def _tensor(name: str, shape: list[int], values: list[float]) -> bytes:
    dims = b"".join(_number(1, side) for side in shape)
    return dims + _number(2, FLOAT) + _bytes(8, name) + _bytes(9, struct.pack(f"<{len(values)}f", *values))


def _node(kind: str, inputs: list[str], output: str) -> bytes:
    return b"".join(_bytes(1, name) for name in inputs) + _bytes(2, output) + _bytes(3, output) + _bytes(4, kind)


def _port(name: str, shape: list[int | str]) -> bytes:
    sides = (_number(1, side) if isinstance(side, int) else _bytes(2, side) for side in shape)
    tensor = _number(1, FLOAT) + _bytes(2, b"".join(_bytes(1, side) for side in sides))
    return _bytes(1, name) + _bytes(2, _bytes(1, tensor))


def tiny_model(
    *, height: int | str = 320, width: int | str = 320, channels: int = 3, gain: float = 2.0, bias: float = 0.0
) -> bytes:
    """Give a model that is one point-wise convolution and a sigmoid: the lighter a pixel, the more it is figure.

    Parameters
    ----------
    height, width : int or str, pixels
        A word leaves the side open.
    gain, bias : float
        Weight of each channel, and what is added; a gain of 0 sees no picture.
    """
    weights = _tensor("w", [1, channels, 1, 1], [gain] * channels)
    nodes = [_node("Conv", ["x", "w", "b"], "c"), _node("Sigmoid", ["c"], "y")]
    graph = b"".join(_bytes(1, node) for node in nodes) + _bytes(2, "tiny")
    graph += _bytes(5, weights) + _bytes(5, _tensor("b", [1], [bias]))
    graph += _bytes(11, _port("x", [1, channels, height, width])) + _bytes(12, _port("y", [1, 1, height, width]))
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _bytes(1, "") + _number(2, 13))


def write_model(path: Path, data: bytes | None = None) -> Path:
    """Write a model, and the folders that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tiny_model() if data is None else data)
    return path
