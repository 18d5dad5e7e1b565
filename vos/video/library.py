"""PyAV, which is optional: imported where it is needed, with an error that says how to get it."""

import importlib.util
from types import ModuleType

from vos.files import VosError

MISSING = "reading video needs PyAV: pip install 'vos[video]' (in a clone: pip install -e '.[video]')"


def pyav() -> ModuleType:
    """The module `av`. VosError where it is not installed."""
    try:
        import av
        import av.video.reformatter
    except ImportError:
        raise VosError(MISSING) from None
    return av


def has_pyav() -> bool:
    """Whether video can be read and written here."""
    return importlib.util.find_spec("av") is not None
