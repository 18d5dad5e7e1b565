"""Sequence-to-sequence video object segmentation, with a video-level representation. In reading order:

    masks       What is a mask?           networks    What is the model?
    data        What is a video set?      training    How does it learn?
    config      What can be set?          inference   How does it segment?
    clips       What does training see?   metrics     How good is a mask?

Parts of these that are read when they are met: augment (of clips), backbones and attention (of networks), tracking and
online (of inference).

Below them: files (what is on disk), fast (the same numbers, sooner). Above them, one service a folder: synthetic (the
drawn set), datasets (real ones), video (video files), engine (a training on disk), scoring, submission, figures; then
course and cli.

Importing the package tunes memory and waiting threads for the whole process; vos/fast/memory.py says how and why.
"""

from vos.fast.memory import keep_freed_memory, wait_patiently

__version__ = "0.4.0"

keep_freed_memory()
wait_patiently()
