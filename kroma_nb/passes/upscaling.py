"""STANDIN."""

UPSCALE_VERSION = "0"


def upscale(picture, *, upscaler, scale):
    return upscaler.enlarge(picture, scale)
