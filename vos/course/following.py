"""One video and its first mask: followed, laid beside the original, and saved. `Painter` has the buttons for it."""

import io
import shutil
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from vos.config import InferenceConfig
from vos.course.widgets import jpeg
from vos.data import stretch
from vos.files.outputs import check_output_folder, filled_whole
from vos.masks import overlay, stretch_ids, write_mask
from vos.networks import BaseModel
from vos.video import read_video, segmented_frames, timed_frames, video_writer
from vos.video.pictures import painted
from vos.video.results import Results

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
            path, self.name = Path(source), Path(source).stem
            self.frames: Callable[[], Iterable[np.ndarray]] = partial(read_video, path, every, start, end, size)
            timed: Iterable[tuple[float, np.ndarray]] = timed_frames(path, every, start, end, size)
        else:
            self.name, self.frames = "my_video", lambda: source
            timed = ((index / fps, frame) for index, frame in enumerate(source))
        self.size: tuple[int, int] = (0, 0)
        self.pictures: list[bytes] = []
        self.times: list[float] = []  # seconds, of each frame
        for time, frame in timed:
            self.times.append(time)
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

    They are those of `python -m vos segment` (masks/, overlay.mp4, contact_sheet.jpg, first_mask.jpg), the id map it
    began with, first_mask.png, and both.mp4: the original beside the result, small.
    """

    def __init__(self) -> None:
        self.temporary = TemporaryDirectory(prefix="vos-")
        self.folder = Path(self.temporary.name)

    @property
    def mask_files(self) -> list[Path]:
        """The indexed PNG of each frame."""
        return sorted((self.folder / "masks").iterdir())

    def save(self, out: str | Path) -> Path:
        """Copy everything but both.mp4 into a folder that is new, or that this filled before, and return it."""
        out = Path(out)
        check_output_folder(out, COMMAND)
        with filled_whole(out, COMMAND) as whole:
            shutil.copytree(self.folder, whole, ignore=shutil.ignore_patterns("both.mp4"), dirs_exist_ok=True)
        return out


def follow(
    model: BaseModel,
    film: Film,
    id_map: np.ndarray,
    start: int = 0,
    config: InferenceConfig | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Followed:
    """Follow the objects of `id_map`, integers (H, W), from frame `start` on; the frames before it have no object.

    progress: is told, after each frame, how many are done. ValueError where the id map is none of this film.
    """
    done = Followed()
    with Results(done.folder, "masks", video=True) as results, video_writer(done.folder / "both.mp4") as write:
        for index, (frame, ids) in enumerate(segmented_frames(model, film.frames, id_map, config, start)):
            results.add(f"{index:05d}", film.times[index], frame, ids)
            write(side_by_side(frame, ids), film.times[index])
            if index == start:
                Image.fromarray(overlay(frame, ids)).save(done.folder / "first_mask.jpg", quality=90)
                write_mask(done.folder / "first_mask.png", ids)
            progress(index + 1)
    results.finish()
    return done


def side_by_side(frame: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """A frame (H, W, 3), and the same with its id map (H, W) painted over, together at most WIDTH_OF_BOTH wide."""
    half = fitted(frame.shape[:2], (WIDTH_OF_BOTH // 2, WIDTH_OF_BOTH // 2))
    small = resized(frame, half)
    return np.hstack([small, painted(small, resized(ids, half))])


def fitted(size: tuple[int, ...], room: tuple[int, int]) -> tuple[int, int]:
    """The largest (H, W) of the same shape that has room."""
    scale = min(room[0] / size[0], room[1] / size[1])
    return max(round(scale * size[0]), 1), max(round(scale * size[1]), 1)


def resized(array: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A frame (H, W, 3) smoothly, or an id map (H, W) by nearest neighbour, at another size (h, w)."""
    return stretch_ids(array, size) if array.ndim == 2 else np.array(stretch(Image.fromarray(array), size))
