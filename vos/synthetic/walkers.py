"""Creatures that walk: beasts on four legs, and people.

A drawing function paints one creature in body units: feet stand at v = 0, v grows downwards, all look towards +u.
`phase` is how far its movement has come, in radians; `look` is six numbers in 0..1 that tell one animal of a
category from the next.
"""

import math
from dataclasses import dataclass

import numpy as np

from vos.synthetic.pen import Pattern, Pen
from vos.synthetic.shapes import Color, Point, capsule, chain, ellipse, mix, off, polygon, rgb, swung, union

SHIRTS = [rgb(c) for c in ("#c8463d", "#2f6f9f", "#e3a93b", "#4d8a57", "#7c5a9b", "#e8e0d0", "#d9773f", "#3f8f94")]
TROUSERS = [rgb(c) for c in ("#34435e", "#5b4a3f", "#2c2f38", "#7a7f8a", "#8a6a45")]
SKINS = [rgb(c) for c in ("#f0c4a0", "#d9a47a", "#b57a50", "#8a573a", "#5f3b2a")]
HAIRS = [rgb(c) for c in ("#2b1d17", "#5a3a22", "#8c5a2b", "#c9963f", "#9a9a96")]
BLACK, WHITE, DARK = rgb("#1d1a1c"), rgb("#fbf7ee"), rgb("#3a2f2e")

Look = tuple[float, ...]


def pick(colors: list[Color], number: float) -> Color:
    """The colour at `number` (0..1) of the way through a list."""
    return colors[min(int(number * len(colors)), len(colors) - 1)]


def eye(pen: Pen, at: Point, radius: float) -> None:
    """An eye with a glint."""
    pen.fill(ellipse(at, radius, radius), BLACK, line=0)
    pen.fill(ellipse(off(at, radius * 0.3, -radius * 0.35), radius * 0.35, radius * 0.35), WHITE, line=0)


@dataclass(frozen=True)
class Beast:
    """A walker on four legs, by its proportions and coat; lengths in body lengths, colours as codes."""

    coat: str
    other: str
    pattern: str | None
    belly: str
    leg: float = 0.42
    limb: float = 0.075
    depth: float = 0.19
    neck: Point = (0.16, -0.12)
    nape: float = 0.12
    head: float = 0.125
    snout: tuple[float, float, float] = (0.14, 0.05, 0.07)
    ear: str = "round"
    tail: Point = (-0.34, -0.1)
    extras: tuple[str, ...] = ()  # "brush", "mane", "trunk", "horns"
    repeat: float = 0.9
    variety: float = 0.12

    def draw(self, pen: Pen, phase: float, look: Look) -> None:
        """Paint one."""
        shade = 1 + self.variety * (look[0] - 0.5) * 2
        coat = np.clip(mix(rgb(self.coat), rgb(self.belly), self.variety * look[1]) * np.float32(shade), 0, 1)
        other, belly = rgb(self.other), rgb(self.belly)
        pattern = Pattern(self.pattern, other, self.repeat, (look[2] * 3, look[3] * 3)) if self.pattern else None
        limb, depth, head, nape = self.limb, self.depth, self.head, self.nape
        top = -self.leg - depth * 0.55 + 0.012 * math.sin(2 * phase)
        hip, chest = (-0.38, top + 0.01), (0.36, top - 0.01)

        def leg(x: float, offset: float, tone: float) -> None:
            swing = 0.42 * math.sin(phase + offset)
            lift = max(0.0, math.cos(phase + offset)) * 0.75
            half = (-top) / 2 * 1.03
            root = (x, top + 0.02)
            knee = swung(root, half, swing)
            foot = off(swung(knee, half, swing - lift), 0, -limb * 0.4)
            thigh, shin = capsule(root, knee, limb * 1.55, limb), capsule(knee, foot, limb, limb * 0.8)
            paw = ellipse(off(foot, limb * 0.35, 0), limb * 1.25, limb * 0.75)
            shape = union(thigh, shin, paw, blend=0.04)
            pen.fill(shape, coat, pattern and pattern.along(root, knee), tone, round=limb * 1.4)

        leg(-0.31, math.pi, 0.72)
        leg(0.31, 1.5 * math.pi, 0.72)
        wag = 0.12 * math.sin(phase * 0.7 + 6 * look[4])
        root = (hip[0] - depth * 0.55, top - depth * 0.3)
        end = (root[0] + self.tail[0] * 0.75, root[1] + self.tail[1] + wag)
        middle = (root[0] + self.tail[0] * 0.45, root[1] + self.tail[1] * 0.2 + 0.08 + wag * 0.4)
        pen.fill(chain([root, middle, end], limb * 0.55, limb * 0.4), coat, pattern and pattern.along(root, end))
        if "brush" in self.extras:
            pen.fill(ellipse(end, 0.05, 0.07), mix(other, DARK, 0.5))
        face = off(off(chest, *self.neck), 0, 0.02 * math.sin(phase + 1))
        snout, nose = off(face, *self.snout[:2]), self.snout[2]
        if "mane" in self.extras:
            pen.fill(capsule(off(chest, -0.1, -depth * 0.85), off(face, -0.1, -0.08), 0.05, 0.06), other)
        if self.ear in ("round", "long"):
            self.paint_ear(pen, face, coat, 0.7, -0.03)
        neck = capsule(chest, face, nape * 1.25, nape * 0.85)
        torso = union(capsule(hip, chest, depth * 0.98, depth), neck, blend=0.1)
        pen.fill(torso, coat, pattern, round=0.17, under=(belly, top + depth * 0.35, top + depth * 0.95))
        leg(-0.38, 0.0, 1.0)
        leg(0.36, 0.5 * math.pi, 1.0)
        skull = union(ellipse(face, head, head * 0.95), capsule(face, snout, head * 0.8, nose), blend=0.05)
        pen.fill(skull, coat, pattern, round=0.1)
        if "trunk" not in self.extras:
            pen.fill(ellipse(off(snout, 0.01, 0.012), nose * 0.95, nose * 0.75), belly, line=0, round=0.06)
            pen.fill(ellipse(off(snout, nose * 0.75, -0.02), 0.032, 0.024), DARK, line=0)
        else:
            curl = 0.12 * math.sin(phase * 0.5 + look[5] * 6)
            low = (snout[0] + 0.06 + curl, snout[1] + 0.33)
            bends = [snout, off(snout, 0.07, 0.16), low, (low[0] + 0.08 + curl, snout[1] + 0.42)]
            pen.fill(chain(bends, 0.085, 0.04), coat)
            pen.fill(capsule(off(snout, -0.02, 0.06), off(snout, 0.1, 0.12), 0.03, 0.012), WHITE)
        if "horns" in self.extras:
            for lean in (-0.03, 0.03):
                root, tip = off(face, lean * 0.5, -head * 0.7), off(face, lean, -head * 1.55)
                pen.fill(capsule(root, tip, 0.016, 0.026), other)
        self.paint_ear(pen, face, coat, 1.0, -0.08)
        eye(pen, off(face, head * 0.42, -head * 0.22), max(head * 0.17, 0.02))

    def paint_ear(self, pen: Pen, face: Point, coat: Color, tone: float, shift: float) -> None:
        """One ear of the kind the beast has."""
        x, y, size = face[0] + shift + 0.02, face[1] - self.head * 0.85, self.head
        if self.ear == "round":
            pen.fill(ellipse((x, y), size * 0.42, size * 0.42), coat, tone=tone)
            inner = ellipse((x + 0.008, y + 0.008), size * 0.22, size * 0.24)
            pen.fill(inner, mix(coat, rgb("#e8b7a0"), 0.6), tone=tone, line=0)
        elif self.ear == "long":
            pen.fill(ellipse((x - 0.03, y + size * 0.2), size * 0.6, size * 0.24, -0.5), coat, tone=tone)
        elif self.ear == "floppy":
            pen.fill(ellipse((x - 0.02, y + size * 0.75), size * 0.36, size * 0.75, 0.35), coat, tone=0.7 * tone)
        elif self.ear == "huge":
            pen.fill(ellipse((x - 0.07, y + size * 0.95), size * 0.95, size * 1.25, 0.25), coat, tone=0.9 * tone)


BEASTS = {
    "tiger": Beast("#ea8f35", "#2a1d18", "tiger", "#fbeed8", tail=(-0.42, -0.16), head=0.145, limb=0.08),
    "zebra": Beast("#f6f2ea", "#26232a", "zebra", "#f6f2ea", leg=0.48, neck=(0.2, -0.3), snout=(0.17, 0.1, 0.065),
                   ear="long", tail=(-0.12, 0.26), extras=("brush", "mane"), limb=0.065, head=0.11),
    "elephant": Beast("#9a979f", "#77747e", "fur", "#9a979f", limb=0.115, depth=0.28, neck=(0.2, -0.13), nape=0.17,
                      head=0.19, snout=(0.14, 0.08, 0.09), ear="huge", tail=(-0.1, 0.24), extras=("brush", "trunk")),
    "giraffe": Beast("#f4dca6", "#b0692c", "patches", "#f4dca6", leg=0.72, limb=0.055, neck=(0.26, -0.78), nape=0.085,
                     head=0.095, snout=(0.15, 0.07, 0.055), ear="long", tail=(-0.1, 0.3), repeat=1.2,
                     extras=("brush", "mane", "horns")),
    "dog": Beast("#c08a52", "#7d5230", "cow", "#f3e4cd", leg=0.38, limb=0.065, depth=0.16, neck=(0.17, -0.2),
                 ear="floppy", tail=(-0.22, -0.26), head=0.135, snout=(0.17, 0.06, 0.06), repeat=0.45, variety=0.35),
    "leopard": Beast("#e6b45c", "#3a2a1e", "rosettes", "#fbf0d9", tail=(-0.46, -0.12), depth=0.165, limb=0.068,
                     repeat=1.3),
    "cow": Beast("#f5f1e8", "#4a332b", "cow", "#eec3b4", leg=0.36, depth=0.23, neck=(0.2, -0.1), ear="long",
                 snout=(0.15, 0.08, 0.085), tail=(-0.1, 0.24), extras=("brush", "horns"), head=0.12, repeat=0.8),
}  # fmt: skip


def draw_person(pen: Pen, phase: float, look: Look) -> None:
    """A person who walks, one unit tall; clothes, hair and skin after `look`."""
    skin, hair = pick(SKINS, look[0]), pick(HAIRS, look[1])
    shirt, legs = pick(SHIRTS, look[2]), pick(TROUSERS, look[3])
    cloth = None
    if look[4] < 0.7:
        name = ("plaid", "hoops", "dots")[int(look[4] / 0.7 * 3)]
        cloth = Pattern(name, mix(shirt, WHITE if shirt.mean() < 0.6 else rgb("#8a3d3d"), 0.75), 1.5, (0.04, 0.01))
    lift = 0.012 * math.cos(2 * phase)
    hip, neck, head = (0, -0.47 + lift), (0.015, -0.78 + lift), (0.03, -0.895 + lift)

    def leg(offset: float, tone: float) -> None:
        swing = 0.5 * math.sin(phase + offset)
        knee = swung(hip, 0.235, swing)
        foot = swung(knee, 0.22, swing - 0.8 * max(0.0, math.cos(phase + offset)))
        pen.fill(ellipse(off(foot, 0.028, 0.008), 0.062, 0.03), DARK, tone=tone)
        shape = union(capsule(hip, knee, 0.068, 0.05), capsule(knee, foot, 0.05, 0.036))
        pen.fill(shape, legs, tone=tone, round=0.06)

    def arm(offset: float, tone: float) -> None:
        swing = 0.55 * math.sin(phase + offset)
        shoulder = off(neck, -0.01, 0.055)
        elbow = swung(shoulder, 0.15, swing)
        hand = swung(elbow, 0.15, swing + 0.45)
        for bare in (capsule(elbow, hand, 0.034, 0.028), ellipse(hand, 0.034, 0.034)):
            pen.fill(bare, skin, tone=tone, round=0.04)
        sleeve = capsule(shoulder, elbow, 0.048, 0.042)
        pen.fill(sleeve, shirt, cloth and cloth.along(shoulder, elbow), tone, round=0.05)

    arm(0.0, 0.75)
    leg(math.pi, 0.75)
    leg(0.0, 1.0)
    chest = off(neck, 0, 0.08)
    body = union(capsule(off(hip, 0, -0.02), chest, 0.09, 0.1), capsule(neck, chest, 0.05, 0.09), blend=0.04)
    if look[5] > 0.65:  # a dress or a long coat
        hem = [(-0.07, hip[1] - 0.1), (0.08, hip[1] - 0.1), (0.13, hip[1] + 0.17), (-0.13, hip[1] + 0.17)]
        body = union(body, polygon(hem, 0.02), blend=0.05)
    pen.fill(capsule(neck, head, 0.035), skin, tone=0.85)
    pen.fill(body, shirt, cloth, round=0.1)
    pen.fill(ellipse(off(head, -0.015, -0.015), 0.087, 0.092), hair)
    if look[5] < 0.35:
        pen.fill(capsule(off(head, -0.055, 0), off(head, -0.07, 0.12), 0.045, 0.03), hair)
    face, nose = ellipse(off(head, 0.018, 0.012), 0.068, 0.074), ellipse(off(head, 0.085, 0.02), 0.018, 0.015)
    pen.fill(union(face, nose, blend=0.02), skin, round=0.07)
    pen.fill(ellipse(off(head, 0.05, -0.002), 0.011, 0.015), BLACK, line=0)
    pen.fill(ellipse(off(head, -0.022, 0.02), 0.014, 0.02), skin, tone=0.85, line=0)
    if look[1] * 7 % 1 < 0.3:
        peak = capsule(off(head, 0, -0.045), off(head, 0.12, -0.04), 0.014)
        pen.fill(union(ellipse(off(head, 0, -0.065), 0.082, 0.05), peak), pick(SHIRTS, look[0] * 3 % 1))
    arm(math.pi, 1.0)
