"""Where training runs, and in which precision."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch
from torch import nn


def choose_device() -> torch.device:
    """Return the GPU where there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def has_bf16(device: torch.device) -> bool:
    """Return whether the device computes in bfloat16 itself; without that it would only be slower."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False  # built without oneDNN, it does not know the question
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def compiled(network: nn.Module) -> nn.Module:
    """Return the network as one program of the device (`torch.compile`); its weights stay its own.

    Each size of faces gets a program of its own, which is faster than one for all. Where the compiler fails,
    the network runs as it is.
    """
    import torch._dynamo

    torch._dynamo.config.suppress_errors = True
    made: nn.Module = torch.compile(network, dynamic=False)  # type: ignore[assignment]
    return made


def autocast(device: torch.device, wanted: bool) -> AbstractContextManager[None]:
    """Return a block in which networks compute in bfloat16 where that is wanted and pays."""
    return torch.autocast(device.type, torch.bfloat16, enabled=wanted and has_bf16(device))
