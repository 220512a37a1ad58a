"""Layered settings: files and requests in, one value a key out, and the reason why it won."""

from kroma_nb.settings.files import SIZE_LIMIT_BYTES
from kroma_nb.settings.keys import KEYS, Layer, SettingKey, SettingValue
from kroma_nb.settings.layers import Explanation, LoadedFile, Settings, Shadowed, load_settings

__all__ = [
    "KEYS",
    "SIZE_LIMIT_BYTES",
    "Explanation",
    "Layer",
    "LoadedFile",
    "SettingKey",
    "SettingValue",
    "Settings",
    "Shadowed",
    "load_settings",
]
