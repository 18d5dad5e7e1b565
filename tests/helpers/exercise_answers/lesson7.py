"""Right and typical wrong answers to exercises of lesson 7."""

import numpy as np

from vos.inference import Segmenter


def box_similarity(a, b, least=0, more=0, count=1):
    (ax, ay, aw, ah), (bx, by, bw, bh) = a, b
    wide = max(min(ax + aw, bx + bw) - max(ax, bx) + more, least)
    high = max(min(ay + ah, by + bh) - max(ay, by) + more, least)
    return wide * high / (aw * ah + bw * bh - count * wide * high)


def as_corners(a, b):
    wide, high = (max(min(a[i + 2], b[i + 2]) - max(a[i], b[i]), 0) for i in (0, 1))
    areas = ((right - left) * (bottom - top) for left, top, right, bottom in (a, b))
    return wide * high / max(sum(areas) - wide * high, 1)


def by_one_box(a, b):
    whole = np.zeros((2, 40, 40), bool)
    for mask, (x, y, w, h) in zip(whole, (a, b), strict=True):
        mask[y : y + h, x : x + w] = True
    return whole.all(axis=0).sum() / whole[1].sum()


def follow(model, frames, id_map, first, again=0, before=True, fresh=False):
    segmenter = Segmenter(model)
    found = [np.zeros_like(id_map) for _ in frames[:first]] if before else []
    found.append(segmenter.start(frames[first], id_map))
    for frame in frames[first + 1 - again :]:
        if fresh:
            segmenter = Segmenter(model)
            segmenter.start(frames[first], id_map)
        found.append(segmenter.step(frame))
    return found


RIGHT = {
    "box_similarity": [box_similarity],
    "follow": [follow, lambda *a: np.stack(follow(*a))],
}
WRONG = [
    ("box_similarity", lambda a, b: box_similarity(a, b, least=-99), "apart in both", "positive product"),
    ("box_similarity", lambda a, b: box_similarity(a, b, count=0), "moved by a third", "take it off once"),
    ("box_similarity", as_corners, "moved by a third", "not a corner"),
    ("box_similarity", lambda a, b: box_similarity(a, b, more=-1), "moved by a third", "no 1 to take off"),
    ("box_similarity", lambda a, b: box_similarity(a, b, more=1), "moved by a third", "no 1 to add"),
    ("box_similarity", by_one_box, "moved by a third", "by one box"),
    ("follow", lambda *a: follow(*a, again=1), "five frames", "goes in twice"),
    ("follow", lambda *a: follow(*a, before=False), "second frame", "they have empty maps"),
    ("follow", lambda model, frames, ids, first: follow(model, frames, ids, 0), "second frame", "in frame `first`"),
    ("follow", lambda *a: follow(*a, fresh=True), "five frames", "frames between"),
    ("follow", lambda model, frames, ids, first: [ids] * len(frames), "five frames", "copy-first"),
    ("follow", lambda model, frames, ids, first: follow(model, frames, ids, first)[-1], "five frames", "shape"),
    ("follow", lambda model, frames, *_: [Segmenter(model).step(frame) for frame in frames], "five frames",
     "raises ValueError: no object to follow"),
]  # fmt: skip
