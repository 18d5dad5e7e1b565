"""The scenes: one wide painted background per video, of which each frame shows a moving window."""

from collections.abc import Callable

import numpy as np

from vos.synthetic import things
from vos.synthetic.pen import Pen, noise
from vos.synthetic.shapes import Color, block, mix, rgb
from vos.synthetic.things import Random, Thing, between, tint


class Painting:
    """A picture that is painted from back to front. color: float32 (3, H, W); unit: H / 100."""

    def __init__(self, rng: Random, height: int, width: int):
        self.rng, self.height, self.width, self.unit = rng, height, width, height / 100
        self.color = np.empty((3, height, width), np.float32)

    def gradient(self, top: Color, bottom: Color, end: float = 1.0) -> None:
        """From `top` at the upper edge to `bottom` at `end` of the height and below."""
        down = np.clip(np.arange(self.height, dtype=np.float32) / (end * self.height), 0, 1)
        self.color[:] = (top[:, None] + (bottom - top)[:, None] * down)[:, :, None]

    def cloud(self, color: Color, amount: float, threshold: float = 0.5, end: float = 0.6) -> None:
        """Noise that shows as cloud above `threshold` and fades out towards `end` of the height."""
        fade = np.clip(1 - np.arange(self.height, dtype=np.float32) / (end * self.height), 0, 1)[:, None]
        cover = np.clip((noise(self.rng, self.height, self.width, 1.6, 0.7) - threshold) * 5, 0, 1) * fade
        self.color += cover * np.float32(amount) * (color[:, None, None] - self.color)

    def land(self, level: float, rough: float, color: Color, shade: Color, wide: float = 1, tall: float = 1) -> None:
        """Ground from `level` of the height down, its skyline `rough` high, mottled from `color` to `shade`."""
        top = max(int((level - rough) * self.height), 0)
        line = noise(self.rng, 1, self.width, 1.5)[0] - 0.5
        y = np.arange(top, self.height, dtype=np.float32)[:, None]
        cover = np.clip(y - (level + 2 * rough * line) * self.height, 0, 1)
        mottle = np.clip(noise(self.rng, self.height - top, self.width, wide, tall) * 1.6 - 0.3, 0, 1)
        down = np.clip((y - level * self.height) / (self.height * 0.5), 0, 1) * np.float32(0.18)
        paint = (color[:, None, None] + (shade - color)[:, None, None] * mottle) * (1.06 - down)
        part = self.color[:, top:]
        part += cover * (paint - part)

    def scatter(self, *crowds: tuple[Thing, int, float, float, float, float]) -> None:
        """Crowds of (thing, count, top, bottom, low, high), of each the far ones first and smaller.

        They stand between `top` and `bottom` of the height; low, high: their size, in hundredths of the height.
        """
        for thing, count, top, bottom, low, high in crowds:
            for depth in sorted(self.rng.random() for _ in range(count)):
                y = (top + (bottom - top) * depth) * self.height
                size = between(self.rng, 0.8, 1.2) * (low + (high - low) * depth) * self.unit
                thing(Pen(self.color, None, 0, self.rng.random() * self.width, y, size), self.rng)


def savannah(art: Painting) -> None:
    """Dry grass, acacias, a warm sky."""
    sky = [("#8fc1dc", "#f6e3bd"), ("#f0b27a", "#fbe6c0"), ("#a9c4d9", "#f3d9c0")][int(art.rng.random() * 3)]
    art.gradient(rgb(sky[0]), rgb(sky[1]), 0.45)
    art.cloud(rgb("#fff8ea"), 0.8)
    art.land(0.38, 0.05, rgb("#b7a58a"), rgb("#9c9a86"))
    art.land(0.44, 0.02, tint(art.rng, ["#d9bd6a", "#cfae5c", "#c9b870"]), rgb("#a98a44"), 2.0, 0.5)
    art.scatter((things.acacia, 6, 0.44, 0.56, 18, 34), (things.bush, 5, 0.46, 0.6, 3, 6))
    art.scatter((things.tuft, 90, 0.47, 1.0, 1.5, 7), (things.stone, 6, 0.55, 0.98, 1.5, 5))


def forest(art: Painting) -> None:
    """Trees in rows, moss and leaves."""
    art.gradient(tint(art.rng, ["#b9d6b0", "#cfe0b4", "#a8cfc0"]), rgb("#e3e9c0"), 0.5)
    art.cloud(rgb("#7fa877"), 0.9, 0.35, 0.9)
    art.land(0.4, 0.06, rgb("#7fa06a"), rgb("#5f8a5f"))
    art.scatter((things.broadleaf, 16, 0.38, 0.52, 26, 52))
    art.land(0.5, 0.03, tint(art.rng, ["#7d9a4f", "#8a9a55", "#6f9358"]), rgb("#4f6f3a"), 1.6, 0.5)
    art.scatter((things.trunk, 4, 0.52, 0.6, 30, 45), (things.bush, 8, 0.5, 0.64, 5, 9))
    art.scatter((things.green_tuft, 80, 0.54, 1.0, 1.5, 6), (things.stone, 5, 0.6, 1.0, 2, 5))


def snow(art: Painting) -> None:
    """A white hillside with pines."""
    art.gradient(tint(art.rng, ["#9fc0dc", "#c4b8d8", "#b5cfe2"]), rgb("#f6ece6"), 0.45)
    art.cloud(rgb("#ffffff"), 0.8)
    art.land(0.34, 0.12, rgb("#b8c7dc"), rgb("#8fa5c4"))
    art.scatter((things.pine, 16, 0.38, 0.5, 10, 24))
    art.land(0.46, 0.03, rgb("#f2f5fa"), rgb("#bccbe0"), 2.2, 0.7)
    art.scatter((things.pine, 7, 0.5, 0.62, 26, 42), (things.stone, 8, 0.55, 1.0, 1.5, 4))
    art.scatter((things.tuft, 24, 0.55, 1.0, 1.5, 3.5))


def street(art: Painting) -> None:
    """A row of houses, a pavement and a road."""
    art.gradient(tint(art.rng, ["#9cc4e0", "#e9c9a0", "#b9c9d6"]), rgb("#f6ecd9"), 0.5)
    art.cloud(rgb("#ffffff"), 0.7)
    size = 0.46 * art.height
    x = -0.1 * size
    while x < art.width + size:
        tall = between(art.rng, 0.9, 1.15) * size
        things.house(Pen(art.color, None, 0, x, 0.55 * art.height, tall), art.rng)
        x += 0.53 * tall
    art.land(0.55, 0.0, rgb("#cfc4b4"), rgb("#ada294"), 0.5, 0.5)
    art.scatter((things.broadleaf, 5, 0.57, 0.6, 24, 32), (things.post, 4, 0.6, 0.61, 26, 28))
    art.land(0.66, 0.0, tint(art.rng, ["#7d7f86", "#8a8580", "#74788a"]), rgb("#62646c"), 0.7, 0.4)
    for k in range(0, art.width, max(int(14 * art.unit), 1)):
        dash = block(0, -0.8, 7.5, 0.8, 0.3)
        Pen(art.color, None, 0, k, 0.82 * art.height, art.unit).fill(dash, rgb("#efe6cf"), line=0)
    Pen(art.color, None, 0, 0, 0.66 * art.height, 1).fill(block(-5, -3, art.width + 5, 3), rgb("#e0d8c8"), line=1)


def pond(art: Painting) -> None:
    """A lake with reeds, meadow behind and a strip of shore in front."""
    art.gradient(tint(art.rng, ["#9fcbe2", "#f2c9a8", "#b8d4da"]), rgb("#f4eed8"), 0.35)
    art.cloud(rgb("#ffffff"), 0.8)
    art.land(0.26, 0.05, rgb("#8fae86"), rgb("#6f937c"))
    art.scatter((things.broadleaf, 10, 0.3, 0.36, 12, 22))
    art.land(0.34, 0.01, rgb("#a5b868"), rgb("#7d9a50"))
    water = tint(art.rng, ["#7db4c4", "#8ab8b0", "#6fa3c0"])
    art.land(0.39, 0.004, water, mix(water, rgb("#e9f4f2"), 0.55), 2.5, 0.16)
    art.scatter((things.reed, 12, 0.41, 0.5, 9, 16))
    art.land(0.9, 0.02, rgb("#9aae5e"), rgb("#70904a"), 1.5, 0.6)
    art.scatter((things.reed, 6, 0.9, 0.98, 16, 26), (things.green_tuft, 40, 0.92, 1.02, 3, 6))


def meadow(art: Painting) -> None:
    """Rolling green fields with flowers and fences."""
    art.gradient(tint(art.rng, ["#8fc4e4", "#b9cfe8", "#a8d4d8"]), rgb("#fbf0d6"), 0.45)
    art.cloud(rgb("#ffffff"), 0.9)
    art.land(0.32, 0.1, rgb("#9dbb8a"), rgb("#7fa57f"))
    art.scatter((things.broadleaf, 12, 0.32, 0.4, 7, 14))
    art.land(0.42, 0.05, rgb("#c3c36a"), rgb("#8fae5a"), 2.0, 0.7)
    art.scatter((things.broadleaf, 4, 0.44, 0.52, 20, 34), (things.fence, 5, 0.46, 0.54, 6, 9))
    art.land(0.52, 0.03, tint(art.rng, ["#8fb858", "#a3b85a", "#7fae62"]), rgb("#5f8f45"), 1.6, 0.6)
    art.scatter((things.bush, 4, 0.54, 0.66, 4, 8), (things.green_tuft, 110, 0.56, 1.02, 1.5, 6))


def underwater(art: Painting) -> None:
    """Blue water, rays of light, sand, corals and weed."""
    top, deep = [("#7fd0dc", "#2f7f9f"), ("#8ad8c8", "#2f8a8f"), ("#86b8e6", "#355f9f")][int(art.rng.random() * 3)]
    art.gradient(rgb(top), rgb(deep), 0.85)
    x, y = np.arange(art.width, dtype=np.float32), np.arange(art.height, dtype=np.float32)[:, None]
    row = noise(art.rng, 1, 2 * art.width, 0.5)[0]
    rays = np.clip(row[(x + 0.5 * y).astype(int)] * 3 - 1.3, 0, 1) * np.clip(1 - y / (0.9 * art.height), 0, 1)
    art.color += rays * np.float32(0.3) * (rgb("#eafcf4")[:, None, None] - art.color)
    art.cloud(rgb("#bfeaf0"), 0.35, 0.5, 1.2)
    art.land(0.66, 0.09, mix(rgb(deep), rgb("#4f6f7f"), 0.4), mix(rgb(deep), rgb("#203f55"), 0.5))
    art.scatter((things.weed, 10, 0.68, 0.78, 12, 22))
    art.land(0.8, 0.03, rgb("#d9c79a"), rgb("#a89a7f"), 1.6, 0.5)
    art.scatter((things.coral, 9, 0.8, 0.95, 7, 14), (things.weed, 9, 0.82, 1.0, 14, 30))
    art.scatter((things.stone, 9, 0.82, 1.0, 2, 6))


def sky(art: Painting) -> None:
    """Clouds above low hills."""
    top, low = [("#5f9fd6", "#dcecf2"), ("#7a8fd0", "#f6d2c0"), ("#4f8fc0", "#f4e6c8")][int(art.rng.random() * 3)]
    art.gradient(rgb(top), rgb(low), 0.85)
    art.cloud(rgb("#ffffff"), 0.7, 0.45, 1.2)
    art.scatter((things.puff, 9, 0.12, 0.72, 8, 13))
    art.land(0.84, 0.06, rgb("#8fa9b0"), rgb("#7f9aa0"))
    art.land(0.9, 0.04, rgb("#9db56e"), rgb("#6f9458"), 1.0, 0.6)
    art.scatter((things.broadleaf, 14, 0.9, 1.0, 6, 12))


# name: painter, band of the height where feet stand, things that may stand in front
SCENES: dict[str, tuple[Callable[[Painting], None], tuple[float, float], tuple[Thing, ...]]] = {
    "savannah": (savannah, (0.64, 0.92), (things.acacia, things.bush, things.trunk)),
    "forest": (forest, (0.66, 0.94), (things.trunk, things.trunk, things.bush)),
    "snow": (snow, (0.64, 0.92), (things.pine, things.post)),
    "street": (street, (0.66, 0.94), (things.post, things.post, things.broadleaf)),
    "meadow": (meadow, (0.64, 0.94), (things.broadleaf, things.bush, things.fence)),
    "pond": (pond, (0.52, 0.82), (things.reed, things.reed)),
    "underwater": (underwater, (0.8, 0.95), (things.weed, things.coral)),
    "sky": (sky, (0.8, 0.95), (things.broadleaf,)),
}


def paint_scene(name: str, rng: Random, height: int, width: int) -> np.ndarray:
    """The background of a scene, float32 (3, height, width), 0..1."""
    art = Painting(rng, height, width)
    SCENES[name][0](art)
    art.color *= 1 + np.float32(0.10) * (noise(rng, height, width, 0.25, 0.25) - 0.5)  # a fine painterly grain
    return art.color
