"""Interactive views for notebooks. A view reads videos through their own methods and draws without matplotlib."""

import html
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from vos.course.faults import Fault, as_it_should_be
from vos.data import Video, only_ids
from vos.inference import best_threshold, merge_objects, upsample_probabilities
from vos.masks import PALETTE, object_ids, overlay
from vos.metrics import score_frames

LARGEST = 720  # pixels of the longer side of a picture sent to the browser


def explorer(videos: Sequence[Video], strength: float = 0.55) -> widgets.VBox:
    """Look through annotated videos: choose a video, an object, a frame and how strongly masks are painted.

    videos: at least one, or it is a ValueError. The children are a row of (Dropdown video, Dropdown object), a row of
    (Play, IntSlider frame, FloatSlider overlay), Image and caption.
    """
    if not videos:
        raise ValueError("there must be at least one video")
    video_box = widgets.Dropdown(options=[(v.name, i) for i, v in enumerate(videos)], description="video")
    object_box = widgets.Dropdown(options=object_options(videos[0]), description="object")
    play = widgets.Play(interval=150, max=len(videos[0]) - 1, repeat=True)
    frame_slider = widgets.IntSlider(max=play.max, description="frame", layout={"width": "340px"})
    strength_slider = widgets.FloatSlider(strength, min=0, max=1, step=0.05, description="overlay")
    # Of one height, so that nothing jumps when videos differ in size.
    picture = widgets.Image(format="jpeg", layout={"height": "380px", "max_width": "100%", "object_fit": "contain"})
    caption = widgets.HTML()

    def draw(_change: object = None) -> None:
        video = videos[video_box.value]
        index = min(frame_slider.value, len(video) - 1)
        image, caption.value = view(video, index, object_box.value, strength_slider.value)
        picture.value = jpeg(image)

    def change_video(_change: object) -> None:
        video = videos[video_box.value]
        play.value = frame_slider.value = 0
        play.max = frame_slider.max = len(video) - 1
        object_box.options = object_options(video)
        draw()

    widgets.jslink((play, "value"), (frame_slider, "value"))
    video_box.observe(change_video, "value")
    for control in (object_box, frame_slider, strength_slider):
        control.observe(draw, "value")
    draw()
    choices = widgets.HBox([video_box, object_box])
    return widgets.VBox([choices, widgets.HBox([play, frame_slider, strength_slider]), picture, caption])


def object_options(video: Video) -> list[tuple[str, int]]:
    """What can be chosen: all objects (0), or one of them by id and category."""
    named = [(f"{o.id}: {o.category}" if o.category else f"object {o.id}", o.id) for o in video.objects]
    return [("all objects", 0), *named]


def view(video: Video, index: int, chosen: int = 0, strength: float = 0.55) -> tuple[np.ndarray, str]:
    """A frame with its masks painted over, uint8 (H, W, 3), and its caption in HTML; chosen: an object's id, 0: all."""
    frame = shrunk(video.frame(index), Image.Resampling.BOX)
    number = f"frame {html.escape(video.frame_names[index])} ({index + 1} of {len(video)})"
    text = f"<b>{html.escape(video.name)}</b>, {number}: "
    if video.mask_paths[index] is None:
        return frame, text + "not annotated"
    ids = video.mask(index)
    wanted = [o for o in video.objects if chosen in (0, o.id)]
    present = set(object_ids(ids)) & {o.id for o in wanted}
    ids = only_ids(ids, present)
    notes = []
    for o in wanted:
        red, green, blue = PALETTE[o.id]
        name = f"{o.id} {html.escape(o.category)}" if o.category else str(o.id)
        area = f"{100 * (ids == o.id).mean():.1f} %" if o.id in present else "not in this frame"
        notes.append(f'<span style="color:rgb({red},{green},{blue})">&#9632;</span> {name}, {area}')
    return overlay(frame, shrunk(ids, Image.Resampling.NEAREST), strength), text + " &nbsp; ".join(notes)


def shrunk(array: np.ndarray, how: Image.Resampling) -> np.ndarray:
    """A picture or id map whose longer side is at most LARGEST pixels; small ones unchanged."""
    scale = LARGEST / max(array.shape[:2])
    if scale >= 1:
        return array
    height, width = (round(scale * length) for length in array.shape[:2])
    return np.array(Image.fromarray(array).resize((width, height), how))


def jpeg(image: np.ndarray) -> bytes:
    """An image (H, W, 3) uint8 as the bytes of a JPEG."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="JPEG", quality=85)
    return stream.getvalue()


Kept = Mapping[str, Sequence[tuple[list[int], Tensor]]]  # of each video by name: ids and probabilities, frame by frame


def frame_chooser(
    videos: Sequence[Video], chooser: widgets.ValueWidget, look: Callable[[Video, int, Any], tuple[np.ndarray, str]]
) -> widgets.VBox:
    """Choose a video, a frame and what `chooser` asks: look(video, frame, its value) gives a picture and a caption.

    The children are a row of (chooser, Dropdown video), IntSlider frame, Image and caption. ValueError where there is
    no video. It starts in frame 1: in the first one masks are given.
    """
    if not videos:
        raise ValueError("there must be at least one video")
    video_box = widgets.Dropdown(options=[(v.name, i) for i, v in enumerate(videos)], description="video")
    frame_slider = widgets.IntSlider(1, max=len(videos[0]) - 1, description="frame", layout={"width": "340px"})
    picture = widgets.Image(format="jpeg", layout={"max_width": "100%"})
    caption = widgets.HTML()

    def draw(_change: object = None) -> None:
        video = videos[video_box.value]
        image, caption.value = look(video, min(frame_slider.value, len(video) - 1), chooser.value)
        picture.value = jpeg(image)

    def change_video(_change: object) -> None:
        frame_slider.max = len(videos[video_box.value]) - 1
        draw()

    video_box.observe(change_video, "value")
    for control in (chooser, frame_slider):
        control.observe(draw, "value")
    draw()
    return widgets.VBox([widgets.HBox([chooser, video_box]), frame_slider, picture, caption])


def fault_chooser(videos: Sequence[Video], kept: Kept, faults: Sequence[Fault]) -> widgets.VBox:
    """Choose a fault and a video: the right masks beside those that the fault makes, the values in them, J and F.

    kept: what a model says of each video (`vos.course.faults.run`). The children are those of `frame_chooser`.
    """

    def look(video: Video, index: int, chosen: int) -> tuple[np.ndarray, str]:
        return fault_view(video, index, kept[video.name][index], faults[chosen])

    options = [(fault.name, i) for i, fault in enumerate(faults)]
    return frame_chooser(videos, widgets.Dropdown(options=options, description="fault"), look)


def fault_view(video: Video, index: int, said: tuple[list[int], Tensor], fault: Fault) -> tuple[np.ndarray, str]:
    """Right and faulty masks of a frame side by side, uint8 (H, 2W, 3), and what a scorer finds, in HTML.

    said: ids and probabilities (K, h, w) of the frame.
    """
    ids, probabilities = said
    frame, truth = video.frame(index), video.mask(index)
    pictures, lines = [], []
    for side, write in (("right", as_it_should_be), (fault.name, fault.plant)):
        found = write(probabilities, ids, video.size) if ids else np.zeros(video.size, np.uint8)
        pictures.append(overlay(frame, found))
        values = np.unique(found)
        listed = " ".join(map(str, values[:12])) + (f" ... {len(values)} values" if len(values) > 12 else "")
        J, F = (scores[0].mean() for scores in score_frames(found[None], truth[None], object_ids(truth) or [1]))
        lines.append(f"<b>{html.escape(side)}</b>: values {listed}; J {J:.3f}, F {F:.3f}")
    return shrunk(np.hstack(pictures), Image.Resampling.BOX), "<br>".join(lines)


def threshold_slider(videos: Sequence[Video], kept: Kept) -> widgets.VBox:
    """Choose a threshold, a video and a frame: the mask of what is more probable beside the truth, with J and F.

    kept: what a model says of each video (`vos.inference.object_probabilities`). The children are those of
    `frame_chooser`.
    """

    def look(video: Video, index: int, threshold: float) -> tuple[np.ndarray, str]:
        return threshold_view(video, index, kept[video.name][index], threshold)

    style = {"description": "threshold", "readout_format": ".2f", "layout": {"width": "440px"}}
    return frame_chooser(videos, widgets.FloatSlider(0.5, min=0.02, max=0.98, step=0.02, **style), look)


def threshold_view(
    video: Video, index: int, said: tuple[list[int], Tensor], threshold: float
) -> tuple[np.ndarray, str]:
    """The masks above a threshold beside the true ones, uint8 (H, 2W, 3), with their ids; J and F of each in HTML.

    said: ids and probabilities (K, h, w) of the frame. Objects that have not been given before it do not count.
    """
    ids, probabilities = said
    name = f"<b>{html.escape(video.name)}</b>, frame {html.escape(video.frame_names[index])}"
    found = merge_objects(upsample_probabilities(probabilities, video.size), ids, threshold)
    pictures = [painted(video.frame(index), found, f"model: p > {threshold:.2f}")]
    if not ids or video.mask_paths[index] is None:
        why = "no annotation, so no score" if ids else "no object has been given before it"
        return np.hstack(2 * pictures), f"{name}: {why}"
    truth = only_ids(video.mask(index), ids)
    J, F = (scores[0] for scores in score_frames(found[None], truth[None], ids))
    pictures.append(painted(video.frame(index), truth, "truth"))
    rows = [(name, "J", "F", "threshold that promises most")]
    for k, number in enumerate(ids):
        sight = "" if (truth == number).any() else ", out of sight"
        best = f"{best_threshold(probabilities[k].numpy()):.2f}"
        rows.append((f"object {number}{sight}", f"{J[k]:.3f}", f"{F[k]:.3f}", best))
    if len(ids) > 1:
        rows.append(("mean", f"{J.mean():.3f}", f"{F.mean():.3f}", ""))
    cells = ["".join(f'<td style="padding-right: 24px">{cell}</td>' for cell in row) for row in rows]
    return np.hstack(pictures), f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"


def painted(frame: np.ndarray, ids: np.ndarray, title: str) -> np.ndarray:
    """A frame with an id map over it, at most LARGEST pixels wide; the title in a corner, its id on every object."""
    ids = shrunk(ids, Image.Resampling.NEAREST)
    image = Image.fromarray(overlay(shrunk(frame, Image.Resampling.BOX), ids))
    notes = [((6, 4), title, "la")]
    for number in object_ids(ids):
        pixels = np.argwhere(ids == number)
        y, x = pixels[np.abs(pixels - pixels.mean(axis=0)).sum(axis=1).argmin()]  # of the object, nearest its middle
        notes.append(((int(x), int(y)), str(number), "mm"))
    for place, words, anchor in notes:
        ImageDraw.Draw(image).text(
            place, words, "white", ImageFont.load_default(16), anchor, stroke_width=1, stroke_fill="black"
        )
    return np.array(image)
