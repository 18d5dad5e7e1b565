"""One video and its first mask: followed, laid beside the original, and saved. `Painter` has the buttons for it."""

import io
import shutil
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from vos.config import COURSE_INFERENCE, InferenceConfig
from vos.course.widgets import jpeg
from vos.files.atomic import files_written_whole
from vos.files.outputs import check_output_folder, mark_output_folder, replaceable_names
from vos.masks import overlay, write_mask
from vos.networks import BaseModel
from vos.video import read_video, segmented_frames, video_info, video_writer

LARGEST_VIEW = (540, 720)  # (H, W) that a frame is fitted into on the page
WIDTH_OF_BOTH = 960  # pixels of the original and the result, side by side
COMMAND = "segment"  # a folder of results is the same, whichever way they were made
USUAL_RATE = 12.0  # frames a second of a video that is given as frames


class Film:
    """A video to draw on and to follow: a file, read whenever it is needed, or frames in memory.

    source: a video file, or uint8 (H, W, 3) RGB frames. every, start, end, size: as `vos.video.read_video`, for a
    file. fps: frames a second of frames in memory. Of a file only small pictures are kept. VosError where the file
    cannot be read, ValueError where frames are none.
    """

    def __init__(
        self,
        source: str | Path | Sequence[np.ndarray],
        every: int = 1,
        start: float = 0.0,
        end: float | None = None,
        size: int | None = None,
        fps: float = USUAL_RATE,
    ) -> None:
        if isinstance(source, str | Path):
            self.name, self.fps = Path(source).stem, video_info(Path(source)).fps / every
            self.frames: Callable[[], Iterable[np.ndarray]] = partial(read_video, Path(source), every, start, end, size)
        else:
            self.name, self.fps = "my_video", fps
            self.frames = lambda: source
        self.size: tuple[int, int] = (0, 0)
        self.pictures: list[bytes] = []
        for frame in self.frames():
            if not self.pictures:
                self.size = frame.shape[0], frame.shape[1]
                self.view = fitted(self.size, LARGEST_VIEW)
            self.pictures.append(jpeg(resized(frame, self.view)))
        if not self.pictures:
            raise ValueError("there must be at least one frame")

    def __len__(self) -> int:
        return len(self.pictures)

    def picture(self, index: int) -> np.ndarray:
        """A frame as it is shown on the page, uint8 (h, w, 3)."""
        return np.array(Image.open(io.BytesIO(self.pictures[index])))


class Followed:
    """What came out: the objects in every frame. Its files lie in a folder that goes when this object does.

    masks/ has an indexed PNG for each frame, overlay.mp4 the objects painted over the video, both.mp4 that beside the
    original, small, and first_mask.png what it began with.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.temporary = TemporaryDirectory(prefix="vos-")
        self.folder = Path(self.temporary.name)

    @property
    def mask_files(self) -> list[Path]:
        return sorted((self.folder / "masks").iterdir())

    def save(self, out: str | Path) -> Path:
        """Copy everything but both.mp4 into a folder that is new, or holds what this made before; returns it."""
        out = Path(out)
        check_output_folder(out, COMMAND)
        files = {path.name: path for path in self.mask_files}
        files |= {name: self.folder / name for name in ("overlay.mp4", "first_mask.png")}
        old = replaceable_names(out) - set(files)
        with files_written_whole(out) as whole:
            for name, path in files.items():
                shutil.copyfile(path, whole / name)
        for name in old:
            (out / name).unlink(missing_ok=True)
        mark_output_folder(out, COMMAND, files)
        return out


def follow(
    model: BaseModel,
    film: Film,
    id_map: np.ndarray,
    start: int = 0,
    config: InferenceConfig = COURSE_INFERENCE,
    progress: Callable[[int], None] = lambda done: None,
) -> Followed:
    """Follow the objects of `id_map`, integers (H, W), from frame `start` on; the frames before it have no object.

    progress: is told, after each frame, how many are done. ValueError where the id map is none of this film.
    """
    result = Followed(film.name)
    with (
        video_writer(result.folder / "overlay.mp4") as write_overlay,
        video_writer(result.folder / "both.mp4") as write_both,
    ):
        for index, (frame, ids) in enumerate(segmented_frames(model, film.frames, id_map, config, start)):
            painted = overlay(frame, ids)
            write_mask(result.folder / "masks" / f"{index:05d}.png", ids)
            write_overlay(painted, index / film.fps)
            write_both(side_by_side(frame, painted), index / film.fps)
            progress(index + 1)
    write_mask(result.folder / "first_mask.png", id_map)
    return result


def side_by_side(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Two pictures (H, W, 3) beside each other, together at most WIDTH_OF_BOTH wide."""
    half = fitted(left.shape[:2], (WIDTH_OF_BOTH // 2, WIDTH_OF_BOTH // 2))
    return np.hstack([resized(left, half), resized(right, half)])


def fitted(size: tuple[int, ...], room: tuple[int, int]) -> tuple[int, int]:
    """The largest (H, W) of the same shape that has room."""
    scale = min(room[0] / size[0], room[1] / size[1])
    return max(round(scale * size[0]), 1), max(round(scale * size[1]), 1)


def resized(array: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A frame (H, W, 3) smoothly, or an id map (H, W) by nearest neighbour, at another size (h, w)."""
    how = Image.Resampling.NEAREST if array.ndim == 2 else Image.Resampling.BILINEAR
    return np.array(Image.fromarray(array).resize(size[::-1], how))
