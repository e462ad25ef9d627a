"""Arrays read where they lie: pages come from the disk when they are looked at, and every process that maps the file shares them."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


def mapped(path: Path) -> npt.NDArray[Any]:
    """Gives the array of a NumPy file, read only, without reading it. A plain array over the mapping: NumPy's own class costs more with every access.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not NumPy's format, or holds objects.
    """
    whole: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
    return whole
