"""Drawing the synthetic videos, without files: shapes -> pen -> walkers, creatures, things, scenes -> plan -> video.

Only +, -, *, /, sqrt and table look-ups touch pixels, and random numbers decide but never accumulate, so that
every machine draws the same picture.
"""
