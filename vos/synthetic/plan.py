"""Planning a video: who is in it, where each goes, what the camera and the light do."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vos.synthetic.creatures import CATEGORIES
from vos.synthetic.scenes import SCENES
from vos.synthetic.things import Random, between
from vos.synthetic.walkers import Look

SPLITS = ("train", "valid")
MARGIN = (36, 84)  # background beyond the frame that the camera can pan over: rows, columns (pixels)
PACE = {"walk": 0.56, "drive": 0.7, "fly": 0.3, "flutter": 0.5, "swim": 0.46, "float": 0.55, "drift": 0.5}  # in lengths
SIZES = {"wide": (256, 448), "portrait": (448, 256), "odd": (243, 431)}


@dataclass(frozen=True)
class Actor:
    """One creature: its place, size and turn as functions of the time tau, 0..1 over the video."""

    category: str
    number: int  # object id; 0: nobody annotates it
    xs: tuple[float, float, float]  # pixels, at tau 0, 1/2 and 1
    ys: tuple[float, float, float]
    size: float  # pixels per unit at tau 1/2
    growth: float  # by how much its size changes over the video, relative
    sway: tuple[float, float, float]  # amplitude (pixels), cycles, start of a wobble across its path
    turn: tuple[float, float, float]  # amplitude (radians), cycles, start
    depth: float  # painted in this order
    look: Look
    start: float  # phase

    def position(self, tau: float) -> tuple[float, float]:
        """Where its origin is, pixels (x, y)."""
        wobble = self.sway[0] * math.sin(2 * math.pi * (self.sway[1] * tau + self.sway[2]))
        return curve(self.xs, tau) + 0.6 * wobble, curve(self.ys, tau) + wobble


@dataclass(frozen=True)
class Plan:
    """All that is decided about a video before a pixel is drawn."""

    name: str
    seed: tuple[int, int, int]  # seed, split, index
    size: tuple[int, int]  # (H, W)
    scene: str
    actors: tuple[Actor, ...]
    props: tuple[tuple[int, float, float, float], ...]  # foreground things: kind, x, y (pixels), size 0..1
    pan: tuple[float, float]  # pixels the camera travels, to the right and down
    shake: tuple[float, float]  # amplitude (pixels), start
    zoom: float  # how much closer the camera comes
    blurred: bool
    light: tuple[float, float, float]  # amplitude, cycles, start of the change of brightness
    grain: float


def curve(points: tuple[float, float, float], tau: float) -> float:
    """The parabola through three points at tau 0, 1/2 and 1."""
    a, b, c = points
    return a + tau * (4 * b - 3 * a - c) + tau * tau * (2 * a + 2 * c - 4 * b)


def generator(seed: tuple[int, int, int], *use: int) -> Random:
    """The random numbers of one video for one use: 0 plan, 1 background, 2 and k the foreground thing k."""
    return np.random.Generator(np.random.PCG64([*seed, *use]))


def choose(rng: Random, options: Sequence[str]) -> str:
    """One of the options."""
    return options[int(rng.random() * len(options))]


def casting(rng: Random, split: str, index: int) -> tuple[str, list[str], str]:
    """Scene, categories of the annotated objects (the leading one first), and shape of the frame."""
    special = index % (25 if split == "train" else 15)
    shape = {2: "portrait", 3: "odd"}.get(special, "wide")
    if split == "train" and special == 0:  # the report's figure 3
        return choose(rng, ["savannah", "forest", "snow"]), ["tiger", "person"], shape
    if split == "valid" and special == 0:  # figure 5
        return choose(rng, ["street", "meadow", "forest", "snow"]), ["person", "person"], shape
    if split == "valid" and special in (1, 8):  # figure 4
        return choose(rng, ["sky", "forest", "meadow", "pond"]), ["bird"] * (1 + (rng.random() < 0.4)), shape
    living = [name for name, category in CATEGORIES.items() if category.seen or split == "valid"]
    seen, unseen = ([name for name in living if CATEGORIES[name].seen is wanted] for wanted in (True, False))
    lead = choose(rng, unseen if unseen and rng.random() < 0.6 else seen)
    scene = choose(rng, CATEGORIES[lead].scenes)
    cast = [lead]
    for chance in (0.62, 0.36, 0.4):
        if rng.random() > chance:
            break
        if rng.random() < 0.3:
            cast.append(cast[-1])  # a companion of the same category
        else:
            names = unseen if unseen and rng.random() < 0.6 else seen
            cast.append(choose(rng, [name for name in names if scene in CATEGORIES[name].scenes] or cast))
    return scene, cast, shape


def route(rng: Random, kind: str, width: int, reach: float, travel: float, at: float) -> tuple[float, float, float]:
    """x at the beginning, middle and end.

    kind: cross, late, leave or return; reach: half the creature's width; travel: pixels; at: where it crosses, 0..1.
    """
    way = 1 if rng.random() < 0.5 else -1
    if kind == "late":
        a, c = -reach * 0.95, max(width * between(rng, 0.35, 0.65), travel - reach)
        b = a + (c - a) * between(rng, 0.45, 0.6)
    elif kind == "return":
        a, c = width * between(rng, 0.62, 0.75), width * between(rng, 0.55, 0.8)
        b = width + reach * between(rng, 0.4, 1.8)
    elif kind == "leave":
        a, c = width * between(rng, 0.45, 0.6), width + reach * between(rng, 0.6, 1.7)
        b = (a + c) / 2
    else:
        center = width * ((at if way > 0 else 1 - at) + between(rng, -0.1, 0.1))
        a, c = center - travel / 2, center + travel / 2
        b = center + 0.12 * travel * (2 * rng.random() - 1)
    return (a, b, c) if way > 0 else (width - a, width - b, width - c)


def plan_actor(
    rng: Random, category: str, number: int, kind: str, scene: str, size: tuple[int, int], share: float, at: float
) -> Actor:
    """Decide on one creature. share: part of the frame that it covers; at: where it is half-way, 0..1."""
    height, width = size
    entry = CATEGORIES[category]
    reach = {"train": 0.95, "person": 0.25, "butterfly": 0.45, "balloon": 0.48, "octopus": 0.45}.get(category, 0.6)
    unit = min(math.sqrt(share * height * width / entry.area), 0.36 * width / reach)
    reach *= unit
    xs = route(rng, kind, width, reach, min(PACE[entry.moves] * between(rng, 0.1, 1.9) * 2 * reach, 0.8 * width), at)
    look = tuple(rng.random() for _ in range(6))
    if entry.moves in ("walk", "drive", "float"):
        low, high = SCENES[scene][1]
        near = min(share * (2 if category == "person" else 1) / 0.14, 1.0)  # what is small is far away
        y = height * (low + (high - low) * (0.75 * near + 0.25 * rng.random()))
        ys = (y, y, y + 0.06 * height * (2 * rng.random() - 1))
        turn = (0.05 * rng.random(), between(rng, 0.5, 1.5), rng.random())
        sway = (0.0, 0.0, 0.0) if entry.moves != "float" else (2.5, 2.0, rng.random())
    else:
        y, drop = height * between(rng, 0.32, 0.6), height * between(rng, -0.2, 0.2)
        ys = (y - drop / 2, y + 0.06 * height * (2 * rng.random() - 1), y + drop / 2)
        turn = (between(rng, 0.1, 0.35), between(rng, 0.5, 1.4), rng.random())
        sway = (unit * between(rng, 0.03, 0.12), between(rng, 0.6, 1.8), rng.random())
        if entry.moves == "drift":
            turn, sway = (0.1, turn[1], turn[2]), (sway[0], 0.8, sway[2])
    growth = between(rng, -0.35, 0.45)
    return Actor(category, number, xs, ys, unit, growth, sway, turn, ys[1] / height, look, 2 * math.pi * rng.random())


def plan_video(split: str, index: int, seed: int) -> Plan:
    """Decide on everything in one video."""
    origin = (seed, SPLITS.index(split), index)
    rng = generator(origin, 0)
    name = f"{int(rng.random() * 2**40):010x}"
    scene, cast, shape = casting(rng, split, index)
    height, width = size = SIZES[shape]
    numbers = list(range(1, len(cast) + 1))
    if rng.random() < 0.35:  # ids with gaps, as in real data
        numbers = [n + int(between(rng, 0, 2.99)) * (k > 0) + 2 * k for k, n in enumerate(numbers)]
    actors = []
    first, pair = int(rng.random() * len(cast)), cast == ["person", "person"]
    for k, (category, number) in enumerate(zip(cast, numbers, strict=True)):
        draw, kind = rng.random(), "cross"
        if k == 0:
            kind = "return" if draw < 0.07 else "leave" if draw < 0.1 else "cross"
        elif not pair:
            kind = "late" if draw < 0.3 else "return" if draw < 0.46 else "leave" if draw < 0.58 else "cross"
        share = between(rng, 0.05, 0.13) if k == 0 or pair else between(rng, 0.035, 0.1)
        share *= {"person": 0.6, "snake": 0.7}.get(category, 1.0)
        at = ((k + first) % len(cast) + 0.5) / len(cast)
        actors.append(plan_actor(rng, category, number, kind, scene, size, share, at))
    follow = 1.0
    if cast == ["tiger", "person"] and split == "train" and index % 25 == 0:
        actors, follow = occluded(rng, actors, size), 0.2
    residents = [c for c, entry in CATEGORIES.items() if scene in entry.scenes and (entry.seen or split == "valid")]
    for _ in range(int(rng.random() * 2.3)):  # distractors: nobody annotates them
        category = cast[0] if rng.random() < 0.35 else choose(rng, residents)
        kind = ("cross", "cross", "late", "leave")[int(rng.random() * 4)]
        actors.append(plan_actor(rng, category, 0, kind, scene, size, between(rng, 0.012, 0.035), rng.random()))
    props = []
    if follow == 1 and rng.random() < 0.4:
        for _ in range(1 + (rng.random() < 0.4)):
            thing = int(rng.random() * len(SCENES[scene][2]))
            props.append((thing, width * between(rng, 0.15, 0.85), height * between(rng, 0.97, 1.05), rng.random()))
    heading = 1 if actors[0].xs[2] > actors[0].xs[0] else -1
    pan = (follow * heading * between(rng, 0.1, 0.9) * 2 * (MARGIN[1] - 16), between(rng, -0.7, 0.7) * (MARGIN[0] - 12))
    shake, zoom, blurred = (between(rng, 0.5, 2.5), rng.random()), between(rng, -0.05, 0.1), rng.random() < 0.15
    light, grain = (between(rng, 0.0, 0.16), between(rng, 0.4, 1.5), rng.random()), between(rng, 0.003, 0.011)
    cast_by_depth = tuple(sorted(actors, key=lambda actor: actor.depth))
    return Plan(name, origin, size, scene, cast_by_depth, tuple(props), pan, shake, zoom, blurred, light, grain)


def occluded(rng: Random, actors: list[Actor], size: tuple[int, int]) -> list[Actor]:
    """A tiger that a person, nearer to us, walks in front of, more and more (the report's figure 3)."""
    height, width = size
    tiger, person = actors
    way = 1 if rng.random() < 0.5 else -1
    a, b, c, d, e, f = (width * x if way > 0 else width * (1 - x) for x in (0.4, 0.46, 0.53, 1.0, 0.8, 0.56))
    back, front, still = (height * 0.82,) * 3, (1.42 * height,) * 3, (0.0, 0.0, 0.0)
    tiger = replace(tiger, xs=(a, b, c), ys=back, size=0.38 * height, growth=0.1, sway=still, depth=0.8)
    person = replace(person, xs=(d, e, f), ys=front, size=1.35 * height, growth=0.05, sway=still, turn=still, depth=2.0)
    return [tiger, replace(person, look=(*person.look[:5], 0.8))]  # in a long coat
