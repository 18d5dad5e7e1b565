"""How an attempt is compared with the package's own function."""

from collections.abc import Callable, Sequence
from copy import deepcopy

import numpy as np
from torch import Tensor

Case = tuple[str, tuple]  # (what is special about it, the arguments)
Mistake = tuple[str, Callable]  # (what to say to it, a function that makes it)


def compare(attempt: Callable, reference: Callable, cases: Sequence[Case], mistakes: Sequence[Mistake] = ()) -> bool:
    """Print how `attempt` fares against `reference`: not yet, the first case that differs, or all agree."""
    for number, (what, arguments) in enumerate(cases, 1):
        where = f"Case {number} of {len(cases)} ({what})"
        try:
            got = attempt(*deepcopy(arguments))  # one that writes into them changes nothing
        except NotImplementedError:
            got = None
        except Exception as error:  # a learner's code may raise anything; the notebook goes on
            print(f"{where} raises {type(error).__name__}: {error}")
            return False
        if got is None or got is Ellipsis:
            print("Not yet: the function returns nothing. Replace the ... and run this cell again.")
            return False
        if difference := differs(got, reference(*deepcopy(arguments))):
            print(f"{where}: {difference}")
            with np.errstate(divide="ignore", invalid="ignore"):
                made = [words for words, wrong in mistakes if not differs(got, wrong(*deepcopy(arguments)))]
            if made:
                print(f"This is what you get from a typical mistake: {made[0]}")
            return False
    print(f"Well done: all {len(cases)} cases agree with the package, {', '.join(what for what, _ in cases)}.")
    return True


def differs(got: object, expected: object) -> str:
    """What is different, in words; "" if nothing is."""
    if isinstance(expected, tuple):
        if not isinstance(got, tuple | list) or len(got) != len(expected):
            return f"expected {len(expected)} values, got {type(got).__name__}"
        found = [(i, differs(*pair)) for i, pair in enumerate(zip(got, expected, strict=True))]
        return next((f"value {i}: {text}" for i, text in found if text), "")
    try:
        a, b = (np.asarray(v.detach() if isinstance(v, Tensor) else v).astype(float) for v in (got, expected))
    except (TypeError, ValueError, RuntimeError):  # RuntimeError: a list of tensors that need a gradient
        return f"expected numbers, got {type(got).__name__}"
    if a.shape != b.shape:
        return f"expected shape {b.shape}, got {a.shape}"
    wrong = ~np.isclose(a, b, atol=1e-5, rtol=1e-4, equal_nan=True)
    if not wrong.any():
        return ""
    if b.ndim == 0:
        return f"expected {b:.6g}, got {a:.6g}"
    where = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"{wrong.sum()} of {wrong.size} values differ; at {where} expected {b[where]:.6g}, got {a[where]:.6g}"
