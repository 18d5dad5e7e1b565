"""What is remembered of a video: the state of its objects, from frame to frame. Tensors in, probabilities out."""

from typing import Any

import torch
from torch import Tensor

from vos.attention import Memory
from vos.backbones import Features
from vos.networks import AttentionModel, BaseModel, State, UpdatedModel

Code = Any  # what a tracker makes of a frame, and only a tracker of that kind reads


class Tracker:
    """The objects of one video, at the model's size. Its code of a frame is the model's `Features` of it, (1, ...)."""

    def __init__(self, model: BaseModel, precision: str) -> None:
        self.model, self.precision = model, precision
        self.state: State | None = None  # of K objects: (h, c), each (K, C, h, w)
        self.memory: Memory | None = None  # of the frames in which they began
        self.video_state: State | None = None
        self.watched = False
        self.code = Features(torch.zeros(0))  # of the last frame

    def autocast(self) -> torch.autocast:
        """Enter it around each computation: a context open across `yield` would leak into the caller."""
        device = next(self.model.parameters()).device.type
        return torch.autocast(device, torch.bfloat16, enabled=self.precision == "bfloat16")

    def encode(self, frames: Tensor) -> list[Code]:
        """The code of each frame; frames (N, 3, H, W), normalised."""
        with self.autocast():
            deep, skips = self.model.features(frames[None])
        return [Features(deep[:, t], tuple(skip[:, t] for skip in skips)) for t in range(len(frames))]

    def watch(self, code: Code, whole: bool = True) -> None:
        """Take e_t into h_video; whole: h_video is to be of the whole video, not of the frames so far."""
        self.watched = self.watched or whole
        if isinstance(self.model, UpdatedModel):
            with self.autocast():
                _, self.video_state = self.model.video_lstm(code.deep[None], self.video_state)

    def step(self, code: Code) -> Tensor:
        """The probabilities (K, H, W) of the objects in the next frame."""
        if not self.watched:
            self.watch(code, whole=False)
        self.code = code
        if self.state is None:
            return torch.zeros(0, *self.model.config.size, device=code.deep.device)
        with self.autocast():
            self.state = self.model.step(self.inputs(code.deep), self.state)
            logits = self.model.decoder(self.state[0], code.skips)[:, 0]
        return torch.sigmoid(logits.float())

    def inputs(self, encoded: Tensor) -> Tensor:
        """What the mask ConvLSTM reads of e_t, (1, C, h, w); with attention it is another for each object."""
        if isinstance(self.model, UpdatedModel) and self.video_state is not None:
            return self.model.fuse(encoded[None], self.video_state[0])[0]
        if isinstance(self.model, AttentionModel) and self.memory is not None:
            return self.model.fuse(encoded[None], self.memory)[:, 0]
        return encoded

    def begin(self, frame: Tensor, masks: Tensor, kept: list[int]) -> None:
        """Begin objects in the frame of the last step: frame (1, 3, H, W), masks (K, 1, H, W) in {0, 1}.

        kept: indices of the objects to go on with.
        """
        with self.autocast():
            h, c = self.model.initialize(frame.expand(len(masks), -1, -1, -1), masks)
            if isinstance(self.model, AttentionModel):
                self.memory = joined(self.memory, kept, self.model.attention.remember(self.code.deep, (h, c), masks))
        if self.state is not None:
            h, c = torch.cat([self.state[0][kept], h]), torch.cat([self.state[1][kept], c])
        self.state = h, c


def joined(memory: Memory | None, kept: list[int], new: Memory) -> Memory:
    """The memory of the objects that are kept, and that of those which begin in another frame."""
    if memory is None or not kept:
        return new
    keys = [one.keys.expand(len(one.values), -1, -1, -1) for one in (memory, new)]  # no longer those of one frame
    return Memory(torch.cat([keys[0][kept], keys[1]]), torch.cat([memory.values[kept], new.values]))


class MirroredTracker(Tracker):
    """Two trackers, one of which is shown the mirror image; probabilities are the mean of what both say.

    Its code of a frame is theirs, of the frame and of its mirror image.
    """

    def __init__(self, model: BaseModel, precision: str) -> None:
        self.views = Tracker(model, precision), Tracker(model, precision)

    def encode(self, frames: Tensor) -> list[Code]:
        return list(zip(self.views[0].encode(frames), self.views[1].encode(frames.flip(-1)), strict=True))

    def watch(self, code: Code, whole: bool = True) -> None:
        for view, one in zip(self.views, code, strict=True):
            view.watch(one, whole)

    def step(self, code: Code) -> Tensor:
        seen, mirrored = (view.step(one) for view, one in zip(self.views, code, strict=True))
        return torch.stack([seen, mirrored.flip(-1)]).mean(dim=0)

    def begin(self, frame: Tensor, masks: Tensor, kept: list[int]) -> None:
        self.views[0].begin(frame, masks, kept)
        self.views[1].begin(frame.flip(-1), masks.flip(-1), kept)
