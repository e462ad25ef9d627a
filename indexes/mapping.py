"""Arrays read where they lie: pages come from the disk when they are looked at, and every process that maps the file shares them."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


def mapped(path: Path) -> npt.NDArray[Any]:
    """Gives the array of a NumPy file without reading it. A plain array over the mapping: NumPy's own class costs more with every access.

    Nothing writes to it; what would be written stayed in this process. Compiled loops take a read-only array ten times as slowly as one that is not.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not NumPy's format, or holds objects.
    """
    whole: npt.NDArray[Any] = np.load(path, mmap_mode="c", allow_pickle=False).view(np.ndarray)
    return whole
