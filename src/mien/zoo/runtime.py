"""ONNX Runtime, loaded so that it tells nobody.

Its official builds send events about models and machines to their maker over HTTPS (newer ones on Linux and
macOS too), and keep a device identifier for that. Mien sends nothing: the variable below, which is read when
ONNX Runtime is loaded, keeps the sender from being made at all (its Privacy.md).
"""

from __future__ import annotations

import os
from types import ModuleType

_SILENCE = "ORT_DISABLE_TELEMETRY"


def load_runtime() -> ModuleType:
    """Return the module `onnxruntime`; every use of it in Mien begins here.

    Sets ORT_DISABLE_TELEMETRY=1, for this process and those it starts. Where the caller's own program has
    loaded ONNX Runtime before, its later events at least are switched off.
    """
    os.environ[_SILENCE] = "1"
    import onnxruntime

    silence = getattr(onnxruntime, "disable_telemetry_events", None)
    if silence is not None:
        silence()
    return onnxruntime  # type: ignore[no-any-return]
