"""Loading the modules of a program without looking for garbage meanwhile."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Iterator[None]:
    """Import inside the block, where nothing is looked at for garbage, nor is it ever afterwards.

    Nothing that is made while modules load is garbage, and looking for some in it takes a fifth of
    the time until the program begins. What is left alone is also shared for longer with processes
    that are forked later.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
