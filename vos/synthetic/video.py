"""Drawing a planned video, 30 frames a second: camera, creatures, foreground, light; annotations and meta.json."""

import math
from dataclasses import replace

import numpy as np

from vos.synthetic.creatures import CATEGORIES
from vos.synthetic.pen import Pen, noise_tile
from vos.synthetic.plan import MARGIN, SPLITS, Actor, Plan, generator, plan_video
from vos.synthetic.scenes import SCENES, paint_scene
from vos.synthetic.shapes import rgb

STEP, ANNOTATED = 5, 20  # every fifth frame is annotated, 20 of them
LAST = STEP * (ANNOTATED - 1)  # frames run from 0 to this
TALL = {"trunk": 0.55, "bush": 0.2, "acacia": 1.0, "fence": 0.2, "coral": 0.35}  # of the frame; others 0.7
SMALLEST = 240  # pixels an object must show before it counts as having appeared
Named = dict[str, np.ndarray]  # frames or masks by name, "00000" ...


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
    for axis, (span, whole) in enumerate(zip(size, background.shape[1:], strict=True)):
        at = (whole - 1) / 2 + look_at[1 - axis] + (np.arange(span) - (span - 1) / 2) / look_at[2]
        at = np.clip(at, 0, whole - 1.001)
        low = at.astype(int)
        first, second = picture.take(low, axis=axis + 1), picture.take(low + 1, axis=axis + 1)
        second -= first
        second *= (at - low).astype(np.float32).reshape((-1, 1) if axis == 0 else -1)
        picture = first + second
    return picture


def draw_actor(plan: Plan, actor: Actor, tau: float, color: np.ndarray, ids: np.ndarray) -> None:
    """Paint one creature, and its shadow where it stands."""
    entry = CATEGORIES[actor.category]
    x, y = actor.position(tau)
    size = actor.size * (1 + actor.growth * (tau - 0.5))
    world = [actor.position(t)[0] + camera(plan, t)[0] for t in (0.0, tau - 0.02, tau + 0.02)]
    speed = (world[2] - world[1]) / 0.04 / actor.size
    facing = math.copysign(min(max(8 * abs(speed), 0.55), 1.0), speed)
    turn = actor.turn[0] * math.sin(2 * math.pi * (actor.turn[1] * tau + actor.turn[2]))
    phase, pen = 2 * math.pi * tau * 3.2 * entry.stride, Pen(color, ids, actor.number, x, y, size, turn, facing)
    if entry.moves in ("walk", "drive"):
        way = (world[1] + world[2]) / 2 - world[0]
        phase = 2 * math.pi * way * math.copysign(1, facing) / (entry.stride * actor.size)  # feet do not slide
        pen.soft((0.02, 0.0), 0.25 if actor.category == "person" else 0.6, 0.07, rgb("#201a20"), 0.45)
    entry.draw(pen, actor.start + phase, actor.look)


def draw_frame(plan: Plan, background: np.ndarray, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """One frame, uint8 (H, W, 3), and its ids, uint8 (H, W). frame: number at 30 a second."""
    tau = frame / LAST
    look_at = camera(plan, tau)
    color = view(background, plan.size, look_at)
    ids = np.zeros(plan.size, np.uint8)
    for actor in plan.actors:
        draw_actor(plan, actor, tau, color, ids)
    height, width = plan.size
    for number, (kind, x, y, large) in enumerate(plan.props):  # in front of all, faster than the background
        thing = SCENES[plan.scene][2][kind]
        tall = height * TALL.get(thing.__name__, 0.7) * (0.85 + 0.3 * large)
        pen = Pen(color, ids, 0, x - 1.5 * look_at[0], y - 0.5 * look_at[1], tall)
        thing(pen, generator(plan.seed, 2, number))
    gain = 1 + plan.light[0] * math.sin(2 * math.pi * (plan.light[1] * tau + plan.light[2]))
    row, column = frame * 37 % 64, frame * 53 % 64
    grain = noise_tile(5, (2, 1))[row : row + height, column : column + width] - np.float32(0.5)
    if plan.blurred:
        color[:, :, 1:-1] = 0.5 * color[:, :, 1:-1] + 0.25 * (color[:, :, :-2] + color[:, :, 2:])
        color[:, 1:-1] = 0.5 * color[:, 1:-1] + 0.25 * (color[:, :-2] + color[:, 2:])
    color *= np.array([gain, gain, 1 + 0.8 * (gain - 1)], np.float32)[:, None, None]
    color += grain * np.float32(plan.grain * 6)
    np.clip(color, 0, 1, out=color)
    color *= 255
    color += 0.5
    return np.ascontiguousarray(color.astype(np.uint8).transpose(1, 2, 0)), ids


def draw_video(split: str, index: int, seed: int = 0, every_frame: bool = False) -> tuple[str, Named, Named, dict]:
    """Draw one video.

    Returns its name, its frames {"00000": uint8 (H, W, 3), ...}, its annotations {"00000": uint8 (H, W) ids, ...} and
    the objects {id: {"category": str, "frames": [names]}} as they stand in meta.json. Frames are every fifth of
    30 a second, or with `every_frame` all of them; annotations are every fifth either way.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {SPLITS}, not {split!r}")
    plan = plan_video(split, index, seed)
    frames, masks, objects = draw_plan(plan, every_frame)
    if all(entry["frames"][0] != "00000" for entry in objects.values()):  # hidden at first: show it
        plan = replace(plan, props=(), actors=tuple(actor for actor in plan.actors if actor.number))
        frames, masks, objects = draw_plan(plan, every_frame)
    return plan.name, frames, masks, objects


def draw_plan(plan: Plan, every_frame: bool) -> tuple[Named, Named, dict[str, dict]]:
    """Frames, annotations and objects of a plan, as draw_video returns them."""
    height, width = plan.size
    background = paint_scene(plan.scene, generator(plan.seed, 1), height + 2 * MARGIN[0], width + 2 * MARGIN[1])
    frames, masks = {}, {}
    for frame in range(0, LAST + 1, 1 if every_frame else STEP):
        frames[f"{frame:05d}"], ids = draw_frame(plan, background, frame)
        if frame % STEP == 0:
            masks[f"{frame:05d}"] = ids
    objects = {}
    for number, category in sorted((actor.number, actor.category) for actor in plan.actors if actor.number):
        if seen_in := appear(masks, number, 0.0 if number == 1 else 0.25):  # 1 leads: it may begin small
            objects[str(number)] = {"category": category, "frames": seen_in}
    return frames, masks, objects


def appear(masks: Named, number: int, enough: float) -> list[str]:
    """The annotated frames that show an object, from the first in which it counts as having appeared.

    That one shows SMALLEST pixels and the part `enough` of its most, or more; before, it is erased from `masks`.
    """
    areas = {name: int(np.count_nonzero(ids == number)) for name, ids in masks.items()}
    least = max(SMALLEST, enough * max(areas.values()))
    names = list(areas)
    first = next((k for k, name in enumerate(names) if areas[name] >= least), len(names))
    for name in names[:first]:
        masks[name][masks[name] == number] = 0
    return [name for name in names[first:] if areas[name]]
