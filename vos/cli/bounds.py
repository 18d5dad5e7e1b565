"""Numbers of the command line that are too low or too high."""

import argparse
from collections.abc import Mapping

from vos.files import VosError


def check_bounds(args: argparse.Namespace, bounds: Mapping[str, tuple[float, float]]) -> None:
    """VosError where an option is given and is not within its bounds, (lowest, highest) by its name in `args`."""
    for name, (lowest, highest) in bounds.items():
        value = getattr(args, name)
        if value is not None and not lowest <= value <= highest:  # NaN is within no bounds
            raise VosError(f"--{name.replace('_', '-')}: is {value}; give a number from {lowest:g} to {highest:g}")
