"""Plain loops over arrays, turned into machine code by Numba when they are first called: what a message would otherwise pay NumPy for call by call."""

from collections.abc import Callable
from typing import TypeVar

import numba

Loop = TypeVar("Loop", bound=Callable[..., object])


def compiled(loop: Loop) -> Loop:
    """Gives the loop compiled. The machine code is kept beside the source (`__pycache__`), so only the first process after a change waits for it.

    Sums are made in the order in which they are written: the same numbers on every machine.
    """
    return _compiled(loop, fastmath=False)


def compiled_freely(loop: Loop) -> Loop:
    """Gives the loop compiled with leave to add in another order, as matrix products do: several times as fast, the last bits may differ between processors."""
    return _compiled(loop, fastmath=True)


def _compiled(loop: Loop, *, fastmath: bool) -> Loop:
    allowed = {"reassoc", "contract"} if fastmath else False
    try:
        made: Loop = numba.njit(cache=True, error_model="numpy", fastmath=allowed)(loop)
    except RuntimeError:  # no place to keep it, such as a file system that is read-only and nobody's home: compiled anew by every process
        made = numba.njit(error_model="numpy", fastmath=allowed)(loop)
    return made
