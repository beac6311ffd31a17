"""How many bytes of tensors PyTorch has alive while something runs."""

import weakref

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of all tensors that operations make and keep.

    known: tensors that exist before; their views, slices of a weight for
        example, make nothing. ``peak`` is the most that was alive at a time.
    """

    def __init__(self, known=()):
        super().__init__()
        self.known = {tensor.untyped_storage()._cdata for tensor in known}
        self.now, self.peak = 0, 0

    def forget(self, key, size):
        self.known.discard(key)
        self.now -= size

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        for tensor in made if isinstance(made, tuple | list) else [made]:
            if not isinstance(tensor, torch.Tensor):
                continue
            storage = tensor.untyped_storage()
            key, size = storage._cdata, storage.nbytes()
            if size and key not in self.known:  # a view makes nothing
                self.known.add(key)
                weakref.finalize(storage, self.forget, key, size)
                self.now += size
                self.peak = max(self.peak, self.now)
        return made
