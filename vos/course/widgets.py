"""Interactive views for notebooks. A view reads videos through their own methods and draws without matplotlib."""

import html
import io
from collections.abc import Mapping, Sequence

import ipywidgets as widgets
import numpy as np
from PIL import Image
from torch import Tensor

from vos.course.faults import Fault, as_it_should_be
from vos.data import Video, only_ids
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


def fault_chooser(videos: Sequence[Video], kept: Kept, faults: Sequence[Fault]) -> widgets.VBox:
    """Choose a fault and a video: the right masks beside those that the fault makes, the values in them, J and F.

    kept: what a model says of each video (`vos.course.faults.run`). The children are a row of (Dropdown fault, Dropdown
    video), IntSlider frame, Image and caption. ValueError where there is no video.
    """
    if not videos:
        raise ValueError("there must be at least one video")
    fault_box = widgets.Dropdown(options=[(fault.name, i) for i, fault in enumerate(faults)], description="fault")
    video_box = widgets.Dropdown(options=[(v.name, i) for i, v in enumerate(videos)], description="video")
    frame_slider = widgets.IntSlider(1, max=len(videos[0]) - 1, description="frame", layout={"width": "340px"})
    picture = widgets.Image(format="jpeg", layout={"max_width": "100%"})
    caption = widgets.HTML()

    def draw(_change: object = None) -> None:
        video, fault = videos[video_box.value], faults[fault_box.value]
        index = min(frame_slider.value, len(video) - 1)
        image, caption.value = fault_view(video, index, kept[video.name][index], fault)
        picture.value = jpeg(image)

    def change_video(_change: object) -> None:
        frame_slider.max = len(videos[video_box.value]) - 1
        draw()

    video_box.observe(change_video, "value")
    for control in (fault_box, frame_slider):
        control.observe(draw, "value")
    draw()
    return widgets.VBox([widgets.HBox([fault_box, video_box]), frame_slider, picture, caption])


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
