"""The synthetic set: shapes -> pen -> walkers, creatures, things, scenes -> plan -> video -> dataset, its files.

Only +, -, *, /, sqrt and table look-ups touch pixels, and random numbers decide but never accumulate, so that
every machine draws the same picture.
"""
