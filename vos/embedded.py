"""The embedded data set: drawn videos in exact YouTube-VOS layout, the same from the same seed.

Each video is planned and drawn from (seed, split, index) alone, so that any one of them can be drawn by itself and
the number of workers changes nothing. Time runs at 30 frames a second; every fifth frame is annotated.
"""

import math
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from vos.creatures import CATEGORIES, Look
from vos.drawing import Pen, noise_tile, rgb
from vos.files import VosError, read_json, write_json
from vos.masks import object_ids, write_mask
from vos.scenes import SCENES, between, paint_scene

VERSION = 1  # raise it whenever a picture changes
SPLITS = ("train", "valid")
STEP, ANNOTATED = 5, 20  # every fifth frame is annotated, 20 of them
LAST = STEP * (ANNOTATED - 1)  # frames run from 0 to this
SMALLEST = 240  # pixels an object must show before it counts as having appeared
MARGIN = (36, 84)  # background beyond the frame that the camera can pan over: rows, columns (pixels)
ALL_FRAMES = 2  # videos per split that also exist with every frame
PACE = {"walk": 0.56, "drive": 0.7, "fly": 0.3, "flutter": 0.5, "swim": 0.46, "float": 0.55, "drift": 0.5}  # in lengths
SIZES = {"wide": (256, 448), "portrait": (448, 256), "odd": (243, 431)}

Random = np.random.Generator


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

    def place(self, tau: float) -> tuple[float, float]:
        """Where its origin is, pixels (x, y)."""
        wobble = self.sway[0] * math.sin(2 * math.pi * (self.sway[1] * tau + self.sway[2]))
        return curve(self.xs, tau) + 0.6 * wobble, curve(self.ys, tau) + wobble


@dataclass(frozen=True)
class Plan:
    """All that is decided about a video before a pixel is drawn."""

    name: str
    size: tuple[int, int]
    scene: str
    actors: tuple[Actor, ...]
    props: tuple[tuple[int, float, float, float], ...]  # foreground things: kind, x, y, size (pixels)
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


def generator(seed: int, split: str, index: int, use: int) -> Random:
    """The random numbers of one use (0 plan, 1 background, 2 foreground) in one video."""
    return np.random.Generator(np.random.PCG64([seed, SPLITS.index(split), index, use]))


# -- planning ---------------------------------------------------------------------------------------


def choose(rng: Random, options: Sequence[str]) -> str:
    """One of the options."""
    return options[int(rng.random() * len(options))]


def casting(rng: Random, split: str, index: int) -> tuple[str, list[str], str]:
    """Scene, categories of the annotated objects (the leading one first), and shape of the frame."""
    special = index % 15
    shape = {2: "portrait", 3: "odd"}.get(special if split == "valid" else index % 25, "wide")
    if split == "train" and index % 25 == 0:
        return choose(rng, ["savannah", "forest", "snow"]), ["tiger", "person"], shape
    if split == "valid" and special == 0:
        return choose(rng, ["street", "meadow", "forest", "snow"]), ["person", "person"], shape
    if split == "valid" and special in (1, 8):
        return choose(rng, ["sky", "forest", "meadow", "pond"]), ["bird"], shape
    living = [name for name, category in CATEGORIES.items() if category.seen or split == "valid"]
    seen, unseen = ([name for name in living if CATEGORIES[name].seen is known] for known in (True, False))
    lead = choose(rng, unseen if unseen and rng.random() < 0.6 else seen)
    scene = choose(rng, CATEGORIES[lead].scenes)
    cast = [lead]
    for chance in (0.62, 0.36, 0.4):
        if rng.random() > chance:
            break
        if rng.random() < 0.3:
            cast.append(cast[-1])  # a companion of the same category
        else:
            near = [name for name in (unseen if unseen and rng.random() < 0.6 else seen) if scene in CATEGORIES[name].scenes]
            cast.append(choose(rng, near or cast))
    return scene, cast, shape


def route(
    rng: Random, kind: str, width: int, reach: float, travel: float, place: float
) -> tuple[float, float, float]:
    """x at the beginning, middle and end.

    kind: cross, late, leave or return; reach: half the creature's width; travel: pixels; place: where it crosses, 0..1.
    """
    way = 1 if rng.random() < 0.5 else -1
    if kind == "late":
        a, c = -reach * 0.95, max(width * between(rng, 0.35, 0.65), travel - reach)
        b = a + (c - a) * between(rng, 0.45, 0.6)
    elif kind == "return":
        a, c = width * between(rng, 0.62, 0.75), width * between(rng, 0.55, 0.8)
        b = width + reach * between(rng, 0.0, 1.1)
    elif kind == "leave":
        a, c = width * between(rng, 0.45, 0.6), width + reach * between(rng, 0.5, 1.1)
        b = (a + c) / 2
    else:
        centre = width * ((place if way > 0 else 1 - place) + between(rng, -0.1, 0.1))
        a, c = centre - travel / 2, centre + travel / 2
        b = centre + 0.12 * travel * (2 * rng.random() - 1)
    points = (a, b, c)
    return points if way > 0 else (width - a, width - b, width - c)


def plan_actor(
    rng: Random, category: str, number: int, kind: str, scene: str, size: tuple[int, int], share: float, place: float
) -> Actor:
    """Decide on one creature. share: part of the frame that it covers; place: where it is half-way, 0..1 of the width."""
    height, width = size
    entry = CATEGORIES[category]
    reach = {"train": 0.95, "person": 0.25, "butterfly": 0.45, "balloon": 0.48, "octopus": 0.45}.get(category, 0.6)
    unit = min(math.sqrt(share * height * width / entry.area), 0.36 * width / reach)
    reach *= unit
    xs = route(rng, kind, width, reach, min(PACE[entry.moves] * between(rng, 0.1, 1.9) * 2 * reach, 0.8 * width), place)
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
    rng = generator(seed, split, index, 0)
    name = f"{int(rng.random() * 2**40):010x}"
    scene, cast, shape = casting(rng, split, index)
    size = SIZES[shape]
    height, width = size
    numbers = list(range(1, len(cast) + 1))
    if rng.random() < 0.3:  # ids with gaps, as in real data
        numbers = [n + int(between(rng, 0, 2.99)) * (k > 0) + 2 * k for k, n in enumerate(numbers)]
    actors = []
    first = int(rng.random() * len(cast))
    for k, category in enumerate(cast):
        draw = rng.random()
        kind = "cross"
        if k > 0 and cast != ["person", "person"]:
            kind = "late" if draw < 0.3 else "return" if draw < 0.45 else "leave" if draw < 0.55 else "cross"
        elif draw < 0.12:
            kind = "return"
        share = between(rng, 0.05, 0.13) if k == 0 or cast == ["person", "person"] else between(rng, 0.035, 0.1)
        share *= 0.6 if category == "person" else 0.7 if category == "snake" else 1.0
        actors.append(plan_actor(rng, category, numbers[k], kind, scene, size, share, ((k + first) % len(cast) + 0.5) / len(cast)))
    follow = 1.0
    if cast == ["tiger", "person"] and split == "train" and index % 25 == 0:
        actors = occluded(rng, actors, size)
        follow = 0.2
    residents = [c for c, entry in CATEGORIES.items() if scene in entry.scenes and (entry.seen or split == "valid")]
    for _ in range(int(rng.random() * 2.3)):  # distractors: nobody annotates them
        category = cast[0] if rng.random() < 0.35 else choose(rng, residents)
        kind = ("cross", "cross", "late", "leave")[int(rng.random() * 4)]
        extra = plan_actor(rng, category, 0, kind, scene, size, between(rng, 0.012, 0.035), rng.random())
        actors.append(extra)
    props = []
    if follow == 1 and rng.random() < 0.4:
        for _ in range(1 + (rng.random() < 0.4)):
            kind = int(rng.random() * len(SCENES[scene][2]))
            props.append((kind, width * between(rng, 0.15, 0.85), height * between(rng, 0.97, 1.05), rng.random()))
    heading = 1 if actors[0].xs[2] > actors[0].xs[0] else -1
    pan = (follow * heading * between(rng, 0.1, 0.9) * 2 * (MARGIN[1] - 16), between(rng, -0.7, 0.7) * (MARGIN[0] - 12))
    return Plan(
        name,
        size,
        scene,
        tuple(sorted(actors, key=lambda actor: actor.depth)),
        tuple(props),
        pan,
        (between(rng, 0.5, 2.5), rng.random()),
        between(rng, -0.05, 0.1),
        rng.random() < 0.15,
        (between(rng, 0.0, 0.16), between(rng, 0.4, 1.5), rng.random()),
        between(rng, 0.003, 0.011),
    )


def occluded(rng: Random, actors: list[Actor], size: tuple[int, int]) -> list[Actor]:
    """A tiger that a person, nearer to us, walks in front of, more and more (the report's figure 3)."""
    height, width = size
    tiger, person = actors
    unit, tall = 0.44 * height, 0.78 * height
    way = 1 if rng.random() < 0.5 else -1
    xs = [width * x if way > 0 else width * (1 - x) for x in (0.4, 0.47, 0.55, 0.97, 0.79, 0.58)]
    y = height * 0.82
    return [
        Actor("tiger", tiger.number, tuple(xs[:3]), (y, y, y), unit, 0.1, (0, 0, 0), tiger.turn, 0.8, tiger.look, tiger.start),
        Actor("person", person.number, tuple(xs[3:]), (y * 1.15,) * 3, tall, 0.15, (0, 0, 0), (0, 0, 0), 0.9, person.look, 0.0),
    ]  # fmt: skip


# -- drawing ----------------------------------------------------------------------------------------


def camera(plan: Plan, tau: float) -> tuple[float, float, float]:
    """Where the camera looks, pixels right and down of the middle, and how close it is."""
    along = tau - 0.5 + 0.08 * math.sin(2 * math.pi * tau)
    start = 2 * math.pi * plan.shake[1]
    dx, dy = math.sin(17 * tau + start), math.sin(23 * tau + 2 * start)
    closer = 1 + plan.zoom * tau
    return plan.pan[0] * along + plan.shake[0] * dx, plan.pan[1] * along + plan.shake[0] * 0.6 * dy, closer


def view(background: np.ndarray, size: tuple[int, int], look_at: tuple[float, float, float]) -> np.ndarray:
    """The window of the background that the camera sees, bilinear, float32 (3, H, W)."""
    picture = background
    for axis in (0, 1):
        middle, span = (background.shape[axis + 1] - 1) / 2 + look_at[1 - axis], size[axis]
        place = middle + (np.arange(span) - (span - 1) / 2) / look_at[2]
        place = np.clip(place, 0, background.shape[axis + 1] - 1.001)
        low = place.astype(int)
        part = (place - low).astype(np.float32)
        if axis == 0:
            upper = picture[:, low[0] : low[-1] + 2]
            first, second = upper[:, low - low[0]], upper[:, low - low[0] + 1]
            part = part[:, None]
        else:
            first, second = picture.take(low, axis=2), picture.take(low + 1, axis=2)
        second -= first
        second *= part
        first += second
        picture = first
    return picture


def draw_actor(plan: Plan, actor: Actor, tau: float, colour: np.ndarray, ids: np.ndarray) -> None:
    """Paint one creature, and its shadow where it stands."""
    entry = CATEGORIES[actor.category]
    x, y = actor.place(tau)
    size = actor.size * (1 + actor.growth * (tau - 0.5))
    world = [actor.place(t)[0] + camera(plan, t)[0] for t in (0.0, tau - 0.02, tau + 0.02)]
    speed = (world[2] - world[1]) / 0.04 / actor.size
    facing = max(-1.0, min(1.0, 8 * speed))
    facing = math.copysign(max(abs(facing), 0.55), facing)
    turn = actor.turn[0] * math.sin(2 * math.pi * (actor.turn[1] * tau + actor.turn[2]))
    if entry.moves in ("walk", "drive"):
        way = (world[1] + world[2]) / 2 - world[0]
        phase = 2 * math.pi * math.copysign(way, way * facing) / (entry.stride * actor.size)
    else:
        phase = 2 * math.pi * tau * 3.2 * entry.stride
    pen = Pen(colour, ids, actor.number, x, y, size, turn, facing)
    if entry.moves in ("walk", "drive"):
        pen.soft((0.02, 0.0), 0.25 if actor.category == "person" else 0.6, 0.07, rgb("#201a20"), 0.45)
    entry.draw(pen, actor.start + phase, actor.look)


def draw_frame(plan: Plan, background: np.ndarray, props_seed: list, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """One frame, uint8 (H, W, 3), and its ids, uint8 (H, W). frame: number at 30 a second."""
    tau = frame / LAST
    look_at = camera(plan, tau)
    colour = view(background, plan.size, look_at)
    ids = np.zeros(plan.size, np.uint8)
    for actor in plan.actors:
        draw_actor(plan, actor, tau, colour, ids)
    draw_props(plan, look_at, props_seed, colour, ids)
    gain = 1 + plan.light[0] * math.sin(2 * math.pi * (plan.light[1] * tau + plan.light[2]))
    height, width = plan.size
    row, column = frame * 37 % 64, frame * 53 % 64
    grain = noise_tile(5, (2, 1))[row : row + height, column : column + width] - np.float32(0.5)
    if plan.blurred:
        colour[:, :, 1:-1] = 0.5 * colour[:, :, 1:-1] + 0.25 * (colour[:, :, :-2] + colour[:, :, 2:])
        colour[:, 1:-1] = 0.5 * colour[:, 1:-1] + 0.25 * (colour[:, :-2] + colour[:, 2:])
    colour *= np.array([gain, gain, 1 + 0.8 * (gain - 1)], np.float32)[:, None, None]
    colour += grain * np.float32(plan.grain * 6)
    np.clip(colour, 0, 1, out=colour)
    colour *= 255
    colour += 0.5
    return np.ascontiguousarray(colour.astype(np.uint8).transpose(1, 2, 0)), ids


def draw_props(plan: Plan, look_at: tuple[float, float, float], seed: list, colour: np.ndarray, ids: np.ndarray) -> None:
    """Paint what stands in front of everything and slides past faster than the background."""
    height = plan.size[0]
    for number, (kind, x, y, large) in enumerate(plan.props):
        thing = SCENES[plan.scene][2][kind]
        tall = {"trunk": 0.55, "bush": 0.2, "acacia": 1.0, "puff": 0.16, "fence": 0.2, "coral": 0.35}
        size = height * tall.get(thing.__name__, 0.7) * (0.85 + 0.3 * large)
        rng = np.random.Generator(np.random.PCG64([*seed, number]))
        if thing.__name__ == "puff":
            y *= 0.6
        thing(Pen(colour, ids, 0, x - 1.5 * look_at[0], y - 0.5 * look_at[1], size), rng)


def draw_video(
    split: str, index: int, seed: int = 0, every_frame: bool = False
) -> tuple[str, dict[str, np.ndarray], dict[str, np.ndarray], dict[str, dict]]:
    """Draw one video.

    Returns its name, its frames {"00000": uint8 (H, W, 3), ...}, its annotations {"00000": uint8 (H, W) ids, ...} and
    the objects {id: {"category": str, "frames": [names]}} as they stand in meta.json. Frames are every fifth of
    30 a second, or with `every_frame` all of them; annotations are every fifth of either.
    """
    plan = plan_video(split, index, seed)
    height, width = plan.size
    background = paint_scene(
        plan.scene, generator(seed, split, index, 1), height + 2 * MARGIN[0], width + 2 * MARGIN[1]
    )
    frames, masks = {}, {}
    for frame in range(0, LAST + 1, 1 if every_frame else STEP):
        picture, ids = draw_frame(plan, background, [seed, SPLITS.index(split), index, 2], frame)
        frames[f"{frame:05d}"] = picture
        if frame % STEP == 0:
            masks[f"{frame:05d}"] = ids
    objects = {}
    for actor in sorted(plan.actors, key=lambda actor: actor.number):
        if actor.number:
            seen_in = appear(masks, actor.number)
            if seen_in:
                objects[str(actor.number)] = {"category": actor.category, "frames": seen_in}
    return plan.name, frames, masks, objects


def appear(masks: dict[str, np.ndarray], number: int) -> list[str]:
    """The annotated frames that show an object, from the first that shows enough of it; earlier slivers are erased."""
    areas = {name: int(np.count_nonzero(ids == number)) for name, ids in masks.items()}
    enough = max(SMALLEST, 0.25 * max(areas.values()))
    first = next((name for name, area in areas.items() if area >= enough), "99999")
    for name, ids in masks.items():
        if name < first:
            ids[ids == number] = 0
    return [name for name, area in areas.items() if name >= first and area]


# -- writing ----------------------------------------------------------------------------------------


def is_drawn(out: Path, train: int = 300, valid: int = 60, seed: int = 0) -> bool:
    """Whether `out` holds the whole embedded set of this version, these counts and this seed."""
    try:
        return read_json(Path(out) / "embedded.json") == description(train, valid, seed)
    except VosError:
        return False


def description(train: int, valid: int, seed: int) -> dict:
    """What embedded.json says."""
    return {"embedded": "drawn by vos", "version": VERSION, "train": train, "valid": valid, "seed": seed}


def draw_dataset(
    out: Path, train: int = 300, valid: int = 60, seed: int = 0, workers: int | None = None, progress: bool = True
) -> None:
    """Draw the whole set into `out`: train, valid, valid_truth, and a few videos with every frame.

    It is drawn beside `out` and renamed when whole. A set that stands there already is kept if it is the same one
    and replaced if it is an older or other embedded set. VosError where `out` holds anything else.
    """
    out = Path(out)
    if min(train, valid) < 1 or seed < 0:
        raise VosError(f"train {train}, valid {valid}, seed {seed}: draw at least one video each, from a seed of 0 or more")
    if is_drawn(out, train, valid, seed):
        return
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / "embedded.json").is_file())):
        raise VosError(f"{out}: exists and is no embedded data set; give another folder or move it away")
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    jobs = [(split, i, seed, partial) for split, n in (("train", train), ("valid", valid)) for i in range(n)]
    try:
        meta = {split: {} for split in SPLITS}
        with ProcessPoolExecutor(workers or os.cpu_count()) as pool:
            futures = [pool.submit(write_video, *job) for job in jobs]
            for future in tqdm(as_completed(futures), "drawing videos", len(jobs), leave=False, disable=not progress):
                split, name, objects = future.result()
                meta[split][name] = {"objects": objects}
        for folder, split in (("train", "train"), ("valid", "valid"), ("valid_truth", "valid")):
            write_json(partial / folder / "meta.json", {"videos": dict(sorted(meta[split].items()))})
        write_json(partial / "embedded.json", description(train, valid, seed))
        if out.exists():
            shutil.rmtree(out)
        partial.replace(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_video(split: str, index: int, seed: int, root: Path) -> tuple[str, str, dict]:
    """Draw a video and write its files under `root`; return split, name and objects."""
    every_frame = index < ALL_FRAMES
    name, frames, masks, objects = draw_video(split, index, seed, every_frame)
    for folder, step in ((split, STEP), (f"{split}_all_frames", 1)):
        if folder == split or every_frame:
            pictures = root / folder / "JPEGImages" / name
            pictures.mkdir(parents=True)
            for frame, picture in frames.items():
                if int(frame) % step == 0:
                    Image.fromarray(picture).save(pictures / f"{frame}.jpg", quality=90)
    truth = root / ("train" if split == "train" else "valid_truth") / "Annotations" / name
    for frame, ids in masks.items():
        write_mask(truth / f"{frame}.png", ids)
        if split == "valid":
            new = [int(number) for number, entry in objects.items() if entry["frames"][0] == frame]
            if new:
                write_mask(root / "valid" / "Annotations" / name / f"{frame}.png", np.where(np.isin(ids, new), ids, 0))
    return split, name, objects
