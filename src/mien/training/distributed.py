"""Training on several GPUs or machines: what the processes that torchrun starts say to each other.

`torchrun --nproc-per-node 2 -m mien train …` starts two processes of one group; every one runs the same
program. Without torchrun there is one process, and nothing here does anything.
"""

from __future__ import annotations

import gc
import importlib
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from mien.core.errors import MienError, OptionError, TrainingError
from mien.training.device import choose_device

if TYPE_CHECKING:
    from torch.distributed.distributed_c10d import Store

_FAILED = "mien/failed"
_VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


class PeerError(TrainingError):
    """Another process of the group failed first; that one says why."""


@dataclass(frozen=True, slots=True)
class Group:
    """The processes that train one network together; one alone where torchrun started none.

    Attributes:
        device: where this process computes.
        rank: number of this process, from 0.
        size: how many there are.
        local_rank: number of this process on its machine.
    """

    device: torch.device
    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def first(self) -> bool:
        """Whether this is the process that prints, writes files and exports."""
        return self.rank == 0

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """A block that one process of each machine runs before the others, for what it leaves in a cache."""
        if self.size > 1 and self.local_rank:
            dist.barrier()
        yield
        if self.size > 1 and not self.local_rank:
            dist.barrier()

    def wrap(self, network: nn.Module) -> nn.Module:
        """Return the network so that its backward pass averages gradients over the processes.

        All start from the first one's weights. Batch norm normalises each process's own part of a batch, and
        the running statistics are the first one's.
        """
        if self.size == 1:
            return network
        devices = [self.device] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(network, device_ids=devices)

    def copy_first(self, tensors: Iterable[Tensor]) -> None:
        """Give all processes the first one's values."""
        if self.size > 1:
            for tensor in tensors:
                dist.broadcast(tensor, 0)

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum over the processes, the same bits in each."""
        if self.size > 1:
            values = values.to(self.device, copy=True)
            dist.all_reduce(values)
        return values

    def share(self, content: bytes) -> bytes:
        """Return what the first process gives, in all of them."""
        if self.size == 1:
            return content
        length = torch.tensor([len(content)], device=self.device)
        dist.broadcast(length, 0)
        data = torch.zeros(int(length.item()), dtype=torch.uint8)
        if self.first and content:
            data = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        if len(data):
            data = data.to(self.device)
            dist.broadcast(data, 0)
        return data.cpu().numpy().tobytes()

    def check_equal(self, value: str, what: str) -> None:
        """Refuse to go on where a process has another value than the first one.

        Raises:
            TrainingError: names the process; the first one raises it too.
        """
        different = torch.zeros(self.size, device=self.device)
        different[self.rank] = self.share(value.encode()) != value.encode()
        if wrong := self.sum(different).nonzero().flatten().tolist():
            raise TrainingError(
                f"process {wrong[0]} has other {what} than process 0; give all machines the same ones"
            )


def accumulating(network: nn.Module, more: bool) -> AbstractContextManager[Any]:
    """Return a block whose backward passes leave the averaging to a later one, where `more` are to come."""
    if more and isinstance(network, nn.parallel.DistributedDataParallel):
        return network.no_sync()
    return nullcontext()


@contextmanager
def joined() -> Iterator[Group]:
    """Give the group that torchrun put this process into, or this process alone.

    A block within a block gives the same group. When a process fails in the block, the first one to do so
    raises its own error and the others raise PeerError, so that one of them says what happened.

    Raises:
        TrainingError: the processes cannot find each other, or there are more than GPUs on a machine.
    """
    if dist.is_available() and dist.is_initialized():
        yield _present()
    elif dist.is_available() and _launched():
        store = _join()
        try:
            yield _present()
        except Exception as error:
            raise _told_once(error, store) from error
        finally:
            _part()
    else:
        yield Group(choose_device())


def check_alone(what: str) -> None:
    """Refuse to do `what` in one of several processes that torchrun started.

    Raises:
        OptionError: there are several.
    """
    if _launched():
        raise OptionError(f"{what} works in one process; start it without torchrun")


def _launched() -> bool:
    return all(os.environ.get(name) for name in _VARIABLES) and _size() > 1


def _size() -> int:
    try:
        return int(os.environ["WORLD_SIZE"])
    except ValueError:
        return 1


def _join() -> Store:
    # DistributedDataParallel imports it, and what is imported while the group is there keeps the group, and
    # its threads, until the interpreter ends; a thread that then still holds a tensor aborts the process.
    importlib.import_module("torch._dynamo")
    from torch.distributed.rendezvous import rendezvous

    backend = "gloo"
    if torch.cuda.is_available():
        here, there = int(os.environ.get("LOCAL_WORLD_SIZE", 1)), torch.cuda.device_count()
        if here > there:
            raise TrainingError(f"{here} processes on this machine need as many GPUs; it has {there}")
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
        backend = "nccl"
    try:
        store: Store
        store, rank, size = next(rendezvous("env://"))
        dist.init_process_group(backend, store=store, rank=rank, world_size=size)
    except (RuntimeError, ValueError) as error:
        raise TrainingError(f"the processes of this training cannot find each other: {error}") from error
    return store


def _present() -> Group:
    local = int(os.environ.get("LOCAL_RANK", 0))
    device = choose_device()
    if device.type == "cuda":
        device = torch.device("cuda", torch.cuda.current_device())
    return Group(device, dist.get_rank(), dist.get_world_size(), local)


def _told_once(error: Exception, store: Store) -> Exception:
    """Return what this process should raise: its own error where it is the first to fail."""
    try:
        earlier = store.add(_FAILED, 1) > 1
    except RuntimeError:
        earlier = False  # whoever kept the store is gone
    if earlier:
        return PeerError("another process failed and says why")
    if isinstance(error, MienError) or not _is_of_group(error):
        return error
    return TrainingError(
        "another process of this training ended; the same command goes on after the last whole epoch"
    )


def _is_of_group(error: Exception) -> bool:
    """Tell whether an error is the group's: gloo raises a plain RuntimeError, NCCL one of torch's own."""
    return isinstance(error, dist.DistError) or (
        isinstance(error, RuntimeError) and ("gloo" in str(error) or "NCCL" in str(error))
    )


def _part() -> None:
    """Leave the group and end its threads; one that has lost a member already cannot be left in order."""
    gc.collect()  # a wrapped network may stand in a cycle, and holds the group
    try:
        dist.destroy_process_group()
    except RuntimeError:
        return
