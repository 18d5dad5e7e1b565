"""Looking inside a network: which clips show most, the gates of a ConvLSTM as pictures, and two widgets to try it."""

from collections.abc import Callable, Mapping, Sequence

import ipywidgets as widgets
import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from vos.course.examples import first_area, first_frame_objects
from vos.course.widgets import jpeg
from vos.data import Video, VideoObject
from vos.figures import WIDTH, row_label, show_image, spotlight, styled
from vos.metrics import boundary, dilate, region_similarity

GATES = ("input gate", "forget gate", "output gate")  # between 0 and 1; what else a ConvLSTM holds has two signs
WIDEST = 448  # screen pixels of a frame in a widget


def clip_indices(video: Video, stride: int = 1, most: int = 20) -> tuple[int, ...]:
    """The first `most` annotated frames, every `stride`-th (`Workspace.stride`); of a short video, all of them."""
    return video.annotated[:: stride if len(video.annotated) > 4 * stride else 1][:most]


def load_clip(
    video: Video, item: VideoObject, size: tuple[int, int], stride: int = 1, most: int = 20
) -> tuple[np.ndarray, np.ndarray]:
    """Frames uint8 (T, H, W, 3) and masks of one object, bool (T, H, W), at `size`; see `clip_indices`."""
    indices = clip_indices(video, stride, most)
    frames = np.stack([video.frame(i, size) for i in indices])
    return frames, np.stack([video.mask(i, size) for i in indices]) == item.id


def moving_object(
    videos: Sequence[Video], size: tuple[int, int], stride: int = 1, smallest: float = 0.04
) -> tuple[Video, VideoObject]:
    """Of the videos' first objects that cover more than `smallest` of every frame (of all, where none does), the one
    that moves most: keeping its first mask scores the least mean J. As `examples.moving_clip`, for whole videos.
    """
    areas, stays, pairs = [], [], first_frame_objects(videos, size)
    for video, item in pairs:
        masks = np.stack([video.mask(i, size) == item.id for i in clip_indices(video, stride)])
        areas.append(masks.mean(axis=(1, 2)).min())
        stays.append(np.mean([region_similarity(masks[0], mask) for mask in masks[1:]]))
    large = [k for k in range(len(pairs)) if areas[k] > smallest] or list(range(len(pairs)))
    return pairs[min(large, key=lambda k: stays[k])]


def pixel_width(video: Video, size: tuple[int, int]) -> int:
    """How many pixels of the video a pixel of the network's `size` (H, W) is wide, on average over both axes."""
    return max(round((video.size[0] * video.size[1] / (size[0] * size[1])) ** 0.5), 1)


def thin_parts(mask: np.ndarray, radius: int) -> np.ndarray:
    """The pixels of a mask (H, W) that lie in no disk of this radius which fits into it: what an opening drops."""
    around = np.pad(~mask, radius, constant_values=True)
    thick = dilate(~dilate(around, radius), radius)[radius:-radius, radius:-radius]
    return mask & ~thick


def thin_object(videos: Sequence[Video], size: tuple[int, int], smallest: float = 0.04) -> tuple[Video, VideoObject]:
    """Of the videos' first objects that cover at least `smallest` of the first frame (of all, where none does), the
    one with the largest share of thin parts in its first mask; radius: a pixel of the network's `size`.
    """
    pairs = first_frame_objects(videos, size)
    large = [pair for pair in pairs if first_area(*pair) >= smallest] or pairs

    def share(pair: tuple[Video, VideoObject]) -> float:
        mask = pair[0].mask(0) == pair[1].id
        return float(thin_parts(mask, pixel_width(pair[0], size)).sum() / mask.sum())

    return max(large, key=share)


def show_map(
    axes: Axes, values: np.ndarray, size: tuple[int, int], signed: bool, limit: float, mask: np.ndarray | None = None
) -> AxesImage:
    """Show one value a cell, (h, w), as large as a frame of `size` (H, W), with the outline of a mask (H, W).

    signed: from -limit, blue, to limit, red; else from 0, black, to limit, white.
    """
    low, colors = (-limit, "RdBu_r") if signed else (0, "gray")
    image = axes.imshow(values, cmap=colors, vmin=low, vmax=limit, extent=(0, size[1], size[0], 0))
    if mask is not None and mask.any() and not mask.all():
        x, y = np.arange(size[1]) + 0.5, np.arange(size[0]) + 0.5
        axes.contour(x, y, mask, levels=[0.5], colors="black" if signed else "#E69F00", linewidths=0.9)
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    axes.spines[:].set(visible=True, color="#CCCCCC", linewidth=0.6)
    return image


@styled()
def state_rows(
    frames: np.ndarray, masks: np.ndarray, maps: Mapping[str, Tensor], channels: Mapping[str, int], times: Sequence[int]
) -> Figure:
    """A row of frames with their true masks, and below it a row for each map: one channel, at the same times.

    frames: uint8 (T, H, W, 3); masks: bool (T, H, W); maps: name -> (T-1, C, h, w), the values at t = 1 .. T-1;
    channels: name -> which is shown. Each row has one range of colours, and its own bar.
    """
    high, wide = masks.shape[1:]
    tile = (WIDTH - 1.9) / len(times)
    layout = ConstrainedLayoutEngine(compress=True, w_pad=0.02, h_pad=0.03, wspace=0, hspace=0)
    figure = Figure(figsize=(WIDTH, (tile * high / wide + 0.06) * (1 + len(maps)) + 0.3), layout=layout)
    grid = figure.subplots(1 + len(maps), len(times), squeeze=False)
    for axes, t in zip(grid[0], times, strict=True):
        show_image(axes, spotlight(frames[t], masks[t].astype(np.uint8)))
        axes.set_title(f"t = {t}", size=9, loc="center", pad=4)
    row_label(grid[0, 0], "frame and truth", "#222222")
    for row, (name, values) in zip(grid[1:], maps.items(), strict=True):
        chosen = values[:, channels[name]].numpy()
        signed = name not in GATES
        limit = float(np.abs(chosen).max()) if signed else 1.0
        for axes, t in zip(row, times, strict=True):
            image = show_map(axes, chosen[t - 1], (high, wide), signed, limit, masks[t])
        row_label(row[0], f"{name} channel {channels[name]}", "#222222")
        bar = figure.colorbar(image, ax=row, fraction=0.02, pad=0.01, ticks=[-limit, 0, limit] if signed else [0, 1])
        bar.ax.tick_params(labelsize=7.5, length=0)
        bar.outline.set_visible(False)
    return figure


def mistakes(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Two masks (H, W) as a picture (H, W, 3): grey where both are, orange stripes what is missed, blue too much."""
    picture = np.full((*truth.shape, 3), 255, np.uint8)
    y, x = np.indices(truth.shape)
    stripes = (x + y) % 6 < 3
    picture[predicted & truth] = 190, 190, 190
    picture[truth & ~predicted & stripes], picture[truth & ~predicted & ~stripes] = (213, 94, 0), (245, 190, 140)
    picture[predicted & ~truth] = 0, 114, 178
    return picture


def cut_out(picture: np.ndarray, mask: np.ndarray, margin: float = 0.1) -> np.ndarray:
    """The part of a picture (H, W, 3) around a mask (H, W) that has a pixel; margin: a share of the mask's own box."""
    spans = []
    for places, length in zip(np.nonzero(mask), mask.shape, strict=True):
        more = max(int(margin * np.ptp(places)), 4)
        spans.append(slice(max(places.min() - more, 0), min(places.max() + 1 + more, length)))
    return picture[tuple(spans)]


def enlarged(picture: np.ndarray) -> np.ndarray:
    """A picture (H, W, ...) with every pixel as a square of equal ones, as many as fit into a width of `WIDEST`."""
    times = max(WIDEST // picture.shape[1], 1)
    return picture.repeat(times, 0).repeat(times, 1)


def state_explorer(frames: np.ndarray, masks: np.ndarray, maps: Mapping[str, Tensor], channel: int = 0) -> widgets.VBox:
    """Choose a gate or state, a channel and a frame: the frame beside the map, and in words what the map holds.

    frames, masks, maps: as `state_rows` has them. The children are SelectionSlider map, IntSlider channel, IntSlider
    frame (all three move by the arrow keys), Image and caption.
    """
    wide: dict = {"layout": {"width": "480px"}}
    channels = next(iter(maps.values())).shape[1]
    map_slider = widgets.SelectionSlider(options=list(maps), description="map", **wide)
    channel_slider = widgets.IntSlider(channel, max=channels - 1, description="channel", **wide)
    frame_slider = widgets.IntSlider(1, min=1, max=len(frames) - 1, description="frame", **wide)
    picture, caption = widgets.Image(format="jpeg", layout={"max_width": "100%"}), widgets.HTML()

    def draw(_change: object = None) -> None:
        name, number, t = map_slider.value, channel_slider.value, frame_slider.value
        values = maps[name][:, number]
        limit = float(values.abs().max()) if name not in GATES else 1.0
        image, words = state_view(frames[t], masks[t], values[t - 1].numpy(), name not in GATES, limit)
        picture.value = jpeg(image)
        caption.value = f"<b>{name}</b>, channel {number}, frame {t} of {len(frames) - 1}: {words}"

    for control in (map_slider, channel_slider, frame_slider):
        control.observe(draw, "value")
    draw()
    return widgets.VBox([map_slider, channel_slider, frame_slider, picture, caption])


def state_view(
    frame: np.ndarray, mask: np.ndarray, values: np.ndarray, signed: bool, limit: float
) -> tuple[np.ndarray, str]:
    """A frame with its mask beside a map (h, w) with the mask's outline and a bar of colours, and the map in words.

    frame: uint8 (H, W, 3); mask: bool (H, W); signed, limit: as `show_map`. The picture is uint8 (h', w', 3).
    """
    ids = enlarged(mask).astype(np.uint8)
    left = spotlight(enlarged(frame), ids)
    high, wide = ids.shape
    colors = matplotlib.colormaps["RdBu_r" if signed else "gray"]
    low = -limit if signed else 0.0
    cells = Image.fromarray((255 * colors((values - low) / (limit - low or 1.0))[..., :3]).astype(np.uint8))
    right = np.array(cells.resize((wide, high), Image.Resampling.NEAREST))
    right[dilate(boundary(ids > 0), 1)] = (0, 0, 0) if signed else (230, 159, 0)
    right[[0, -1]] = right[:, [0, -1]] = 190  # or a white map ends nowhere
    bar = (255 * colors(np.linspace(1, 0, high))[:, None, :3]).astype(np.uint8).repeat(16, axis=1)
    gap = np.full((high, 12, 3), 255, np.uint8)
    sheet = np.hstack([left, gap, right, gap, bar, gap.repeat(4, axis=1)])
    named = Image.fromarray(sheet)
    for number, y in ((limit, 0), (low, high - 14)):
        where = (sheet.shape[1] - 44, y)
        ImageDraw.Draw(named).text(where, f"{number:.2f}", fill="black", font=ImageFont.load_default(13))
    return np.array(named), in_words(mask, values, signed, limit)


def in_words(mask: np.ndarray, values: np.ndarray, signed: bool, limit: float) -> str:
    """The range of a map (h, w), what its colours mean, and its mean on the object of a mask (H, W) and elsewhere."""
    share = adaptive_avg_pool2d(torch.from_numpy(mask[None].astype(np.float32)), values.shape)[0].numpy()
    ends = f"blue {-limit:.2f}, white 0, red {limit:.2f}" if signed else "black 0, shut; white 1, open"
    on_it = (
        f"{np.average(values, weights=share):.2f} on average on the object" if share.any() else "object out of sight"
    )
    elsewhere = f", {np.average(values, weights=1 - share):.2f} elsewhere" if share.min() < 1 else ""
    return f"values from {values.min():.2f} to {values.max():.2f} ({ends}); {on_it}{elsewhere}"


def swap_explorer(
    clips: Mapping[str, tuple[np.ndarray, np.ndarray]],
    others: Mapping[str, Tensor],
    representations: Mapping[str, Tensor],
    predict: Callable[[str, Tensor], np.ndarray],
) -> widgets.VBox:
    """Choose a video and whose h_video its masks are made with: the truth beside them, and J.

    clips: name -> frames uint8 (T, H, W, 3) and true masks bool (T, H, W). representations: name -> the h_video of each
    clip; others: name -> further ones, such as zeros. predict(name, h_video) -> the masks of frames 1 .. T-1, bool
    (1, T-1, H, W). The children are a row of (Dropdown video, Dropdown h_video), IntSlider frame, Image and caption.
    """
    names = list(clips)
    video_box = widgets.Dropdown(options=names, description="video")
    sources = [("its own", "own"), *((name, name) for name in others), *((f"of {name}", name) for name in names)]
    source_box = widgets.Dropdown(options=sources, description="h_video")
    frame_slider = widgets.IntSlider(1, min=1, max=len(clips[names[0]][0]) - 1, description="frame")
    picture, caption = widgets.Image(format="jpeg", layout={"max_width": "100%"}), widgets.HTML()
    made: dict[tuple[str, str], np.ndarray] = {}  # masks, so that a frame can be chosen without another prediction

    def masks_of(name: str, source: str) -> np.ndarray:
        if (name, source) not in made:
            key = name if source == "own" else source
            made[name, source] = predict(name, others[key] if key in others else representations[key])[0]
        return made[name, source]

    def draw(_change: object = None) -> None:
        name = video_box.value
        frames, truth = clips[name]
        t = min(frame_slider.value, len(frames) - 1)
        predicted, own = masks_of(name, source_box.value), masks_of(name, "own")
        masks = truth[t], predicted[t - 1]
        left, right = (enlarged(spotlight(frames[t], mask.astype(np.uint8))) for mask in masks)
        picture.value = jpeg(np.hstack([left, np.full((len(left), 12, 3), 255, np.uint8), right]))
        J, J_own = mean_J(predicted, truth[1:]), mean_J(own, truth[1:])
        here = region_similarity(predicted[t - 1], truth[t])
        caption.value = (
            f"Left the truth, right the prediction. Frame {t} of {len(frames) - 1}: J {here:.2f}. "
            f"Mean of all frames: <b>J {J:.2f}</b>, with its own h_video {J_own:.2f}."
        )

    def change_video(_change: object) -> None:
        frame_slider.max = len(clips[video_box.value][0]) - 1
        draw()

    video_box.observe(change_video, "value")
    for control in (source_box, frame_slider):
        control.observe(draw, "value")
    draw()
    return widgets.VBox([widgets.HBox([video_box, source_box]), frame_slider, picture, caption])


def mean_J(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Mean J of masks (T, H, W)."""
    return float(np.mean([region_similarity(*pair) for pair in zip(predicted, truth, strict=True)]))
