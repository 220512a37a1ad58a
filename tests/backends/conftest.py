"""The stand-ins of Real-ESRGAN's programs, as fixtures."""

from stand_ins import log, page, program, script, temporary

__all__ = ["log", "page", "program", "script", "temporary"]
