"""Ctrl-C in the middle of a training: the step is finished first."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupts_noted() -> Iterator[list[int]]:
    """Ctrl-C (and a polite kill) fill the list, so that a step is always finished; a second one ends at once."""
    signals: list[int] = []

    def note(number: int, frame: object) -> None:
        if signals:
            raise KeyboardInterrupt
        signals.append(number)

    heard = threading.current_thread() is threading.main_thread()  # elsewhere no signal ever arrives
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM) if heard}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_interrupts(worker: int) -> None:
    """A process that loads clips leaves Ctrl-C to the training, which ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
