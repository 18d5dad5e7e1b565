"""How the models are trained on each kind of set; the reasons stand in notebook 04's table of deviations."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from vos.clips import NO_AUGMENTATION, Augmentation, ClipDataset
from vos.data import VideoObjectSegmentation
from vos.networks import BaseModel, best_device
from vos.parallel import Ranks
from vos.schedule import TrainingSettings
from vos.training import train

HELD_OUT = 32  # clips; they stay in memory


@dataclass(frozen=True)
class Recipe:
    """Training settings and clip sampling."""

    training: TrainingSettings
    augmentation: Augmentation
    strides: tuple[int, ...]
    late_start: float = 0.0


# Pairs of frames first: two frames show how a mask is drawn, and cost a third of five. Then longer clips teach to
# keep hold of the object. Minutes are short here and videos are not, so the only augmentation is the mirror.
EMBEDDED = Recipe(
    TrainingSettings(
        iterations=2500,
        minutes=7.9,
        muon=3.0,
        stages=((0.0, 2, 24), (0.25, 5, 8), (0.5, 10, 4), (0.8, 20, 2)),
    ),
    Augmentation(reverse=0, permute=0, turn=0, zoom=1, shift=0, light=0),
    strides=(1,),
    late_start=0.7,
)
# It goes on from the embedded set's weights, so without pairs and with smaller steps. DAVIS annotates every frame:
# strides up to 5 show motion as large as YouTube-VOS's 6 annotated frames a second.
REAL = Recipe(
    TrainingSettings(iterations=1000, minutes=5.0, learning_rate=1e-3, stages=((0.0, 5, 8), (0.6, 10, 4))),
    Augmentation(turn=15, zoom=1.35, shift=10, light=0.3),
    strides=(1, 2, 3, 4, 5),
    late_start=0.7,
)
# The report's own: clips of 5, no augmentation, Adam with 1e-4 (3.1, 3.6). It names no batch size.
REPORT = Recipe(
    TrainingSettings(iterations=100_000, learning_rate=1e-4, weight_decay=0.0, stages=((0.0, 5, 4),)),
    NO_AUGMENTATION,
    strides=(1,),
)


def recipe(preset: str, embedded: bool, fast: bool = False) -> Recipe:
    """The recipe of a preset on the embedded set or on real video; fast: a few iterations only."""
    chosen = REPORT if preset == "report" else EMBEDDED if embedded else REAL
    if fast:
        few = replace(chosen.training, iterations=8, minutes=None, stages=((0.0, 5, 2),), warm_up=2)
        chosen = replace(chosen, training=few)
    return chosen


def train_by_recipe(
    model: BaseModel,
    videos: VideoObjectSegmentation,
    chosen: Recipe,
    run: Path,
    name: str = "",
    line: int = 0,
    ranks: Ranks | None = None,
    hold_out: int = 0,
    resume: bool = False,
    watch: Callable[[list[dict]], None] | None = None,
) -> list[dict]:
    """Train `model` on the videos of a "train" split on the best device there is; returns the log.

    hold_out: keep every so many-th video out of the training, and choose RUN/best.pt by clips of them (HELD_OUT at
    most); 0 keeps none. The other arguments as in `vos.training.train`.
    """
    model.to(ranks.device if ranks else best_device())
    seed, size = chosen.training.seed, model.settings.size
    kept = videos.videos[hold_out - 1 :: hold_out] if hold_out else []
    names = {video.name for video in kept}
    seen = [video for video in videos if video.name not in names]
    clips = ClipDataset(seen, size, chosen.strides, chosen.augmentation, seed, chosen.late_start)
    longest = max(length for _, length, _ in chosen.training.stages)
    unseen = ClipDataset(kept, size, seed=seed, keep=False) if kept else None
    held_out = [unseen[(number, longest)] for number in range(min(len(unseen), HELD_OUT))] if unseen else []
    return train(model, clips, chosen.training, run, name, line, ranks, held_out, resume, watch)
