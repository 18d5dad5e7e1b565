"""All that is written of one segmented video, frame by frame, in constant memory, while the model goes on."""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PIL import Image

from vos.files.atomic import written_whole
from vos.masks import write_mask
from vos.video import pictures
from vos.video.writing import video_writer

OVERLAY_SIDE = 1280  # pixels of the longer side: what a browser shows, and half the time of 1920
WAITING = 8  # frames that may wait to be written: then the model waits
Ground = tuple[int, int, int] | None


class Results:
    """Masks, overlay.mp4, contact_sheet.jpg, and where asked overlay.gif and a cut-out, in a folder.

        with Results(folder, ...) as results:
            results.add(name, time, frame, ids)        # for every frame
        results.finish()

    masks: name of the folder within for the masks; "" for none. video: whether overlay.mp4 can be written (PyAV).
    cutout: None for no cut-out, else its ground: (None,) is a transparent one, ((R, G, B),) a plain one.
    """

    def __init__(
        self, folder: Path, masks: str, *, video: bool, animation: bool = False, cutout: tuple[Ground] | None = None
    ) -> None:
        self.folder, self.cutout, self.count = folder, cutout, 0
        self.masks = folder / masks
        self.sheet = pictures.EvenSample(pictures.SHEET)
        self.animation = pictures.EvenSample(pictures.GIF_FRAMES) if animation else None
        self.stack = ExitStack()
        self.video = video
        self.waiting: deque[Future[None]] = deque()

    def __enter__(self) -> "Results":
        if self.video:
            self.write_overlay = self.stack.enter_context(video_writer(self.folder / "overlay.mp4"))
        if self.cutout and self.cutout[0]:
            self.write_cutout = self.stack.enter_context(video_writer(self.folder / "cutout.mp4"))
        self.thread = self.stack.enter_context(ThreadPoolExecutor(1))  # one: a video is written in order
        self.stack.callback(self.wait, 0)  # before the videos are ended
        return self

    def __exit__(self, *error: object) -> None:
        self.stack.__exit__(*error)  # type: ignore[arg-type]

    def add(self, name: str, time: float, frame: np.ndarray, ids: np.ndarray) -> None:
        """Have written what is of one frame: its name without ending, second, uint8 (H, W, 3) and id map (H, W).

        An error of those before it is raised here or at the end of the block.
        """
        self.wait(WAITING)
        self.waiting.append(self.thread.submit(self.write, name, time, frame, ids))
        self.count += 1

    def wait(self, most: int) -> None:
        """Until at most so many frames are not yet written."""
        while len(self.waiting) > most:
            self.waiting.popleft().result()

    def write(self, name: str, time: float, frame: np.ndarray, ids: np.ndarray) -> None:
        """In the thread that writes."""
        write_mask(self.masks / f"{name}.png", ids)
        self.sheet.offer(lambda: pictures.small_picture(frame, ids, pictures.TILE))
        if self.animation is not None:
            self.animation.offer(lambda: pictures.small_picture(frame, ids, pictures.GIF_SIDE))
        if self.video:
            self.write_overlay(pictures.small_picture(frame, ids, OVERLAY_SIDE), time)
        if self.cutout:
            picture = pictures.cut_out(frame, ids, self.cutout[0])
            if self.cutout[0]:
                self.write_cutout(picture, time)
            else:
                with written_whole(self.folder / "cutout" / f"{name}.png") as temporary:
                    Image.fromarray(picture).save(temporary, format="PNG", compress_level=1)

    def finish(self) -> None:
        """Write what is of the video as a whole."""
        pictures.write_contact_sheet(self.folder / "contact_sheet.jpg", self.sheet.kept)
        if self.animation is not None:
            pictures.write_animation(self.folder / "overlay.gif", self.animation)
