"""What this course does otherwise than the report and the paper, why, and what each choice was measured to gain.

One table for README.md and notebook 04. The numbers are those of experiments/choices.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean


@dataclass(frozen=True)
class Deviation:
    """A row. undone: the choices of experiments/choices.py that undo it, by name."""

    what: str
    theirs: str
    ours: str
    why: str
    undone: tuple[str, ...] = ()


DEVIATIONS = (
    Deviation("data", "YouTube-VOS", "drawn by the package, in its layout, or a real set", "no download, minutes"),
    Deviation(
        "input, state",
        "256x448, 512x8x14",
        "64x112, fewer channels on a finer grid, 16x28",
        "two cores; cost grows with the square of the channels",
        ("state of 8x14 cells",),
    ),
    Deviation(
        "full size",
        "VGG-16 convolves at every pixel",
        "the first convolution takes patches of 2x2 pixels, the Decoder writes them back",
        "per weight, convolutions at full size cost most",
        ("pixels, not patches of 2x2",),
    ),
    Deviation(
        "backbone",
        "VGG-16 with ImageNet weights; paper: its first FC layer too, as a convolution",
        "a small VGG-style stack from random weights; field `fc_width`",
        "minutes, no download; the report names no FC layer",
    ),
    Deviation(
        "start on real video",
        "ImageNet weights",
        "the weights trained on the drawn set",
        "a laptop's set of real video is too small to start from nothing",
    ),
    Deviation("normalisation", "none in VGG-16", "BatchNorm", "learning from random weights", ("no BatchNorm",)),
    Deviation(
        "Initializer's 4 to 3 channels",
        "a convolution, not described",
        "3x3, starts as the frame with the mask painted on, strongly (`mask_weight`)",
        "the backbone sees a frame and can tell the mask from it",
        ("mask painted on weakly",),
    ),
    Deviation(
        "ConvLSTM's kernels",
        "3x3",
        "1x1 for the input half, 3x3 for the state",
        "the Encoder's 3x3 convolutions come right before it; cheaper steps are more steps",
        ("ConvLSTM's input half 3x3",),
    ),
    Deviation(
        "state's activation",
        "paper: ReLU; report silent, cites Shi et al.",
        "tanh, as Shi et al.; field `state_activation`",
        "bounded states are stable over long videos",
        ("state activation ReLU",),
    ),
    Deviation(
        "forget gate's bias",
        "paper: 1; report silent",
        "1",
        "gradients reach back through time from the start",
        ("forget bias 0",),
    ),
    Deviation(
        "Decoder",
        "five blocks, 5x5",
        "as many blocks as poolings, 3x3",
        "the input is smaller; cheaper steps are more steps",
        ("decoder 5x5",),
    ),
    Deviation(
        "Decoder's border",
        "not said",
        "zeros; at full size, where kernels are 5x5, the last values again",
        "upsampling and convolution become one, with 16 products for 25 (`vos/fast/layers.py`)",
        ("repeated border, against zeros, both 5x5",),
    ),
    Deviation("Decoder's end", "sigmoid, then BCE", "BCE on logits, sigmoid at inference", "overflow (notebook 04)"),
    Deviation(
        "fusion of e_t and h_video", "a convolutional block", "3x3 convolution, BatchNorm, ReLU", "nothing more is said"
    ),
    Deviation(
        "h_video's channels",
        "not said",
        "32, a third of the mask's state",
        "it says what is in the video and draws no outline",
        ("updated, h_video as wide as the state",),
    ),
    Deviation(
        "h_video at test time",
        "not described",
        "of the whole video; in training, of the clip",
        'it is what "video-level" asks for; the model is then not online',
    ),
    Deviation(
        "optimiser",
        "Adam, 1e-4 (paper: 1e-5), constant",
        "Muon for the hidden convolutions, AdamW for the rest; warm-up, cosine to zero",
        "random weights, minutes",
        ("the report's training", "AdamW for all weights", "constant learning rate", "no warm-up"),
    ),
    Deviation(
        "gradient",
        "not described",
        "clipped at norm 1",
        "the first gradients of a random network are wild",
        ("no gradient clipping",),
    ),
    Deviation(
        "weights that are kept",
        "not described",
        "the last, their learning rate annealed; no moving average; `train` also keeps the best on held-out videos",
        "nothing is chosen by the videos that judge",
        ("moving average of weights, 0.99",),
    ),
    Deviation("length of training", "more than 80 epochs", "a limit in iterations and minutes", "a coffee break"),
    Deviation(
        "clips",
        "report: 5 frames; paper: 5 to 11, lengthened in training",
        "pairs of frames, then 5, 10 and 20",
        "pairs teach the first step fastest, long clips teach to keep hold",
        ("clips of 5 only", "clips of 5 to 11, no pairs", "no clips of 20"),
    ),
    Deviation(
        "where clips begin",
        "not described",
        "those of late objects mostly where the object enters",
        "inference always begins there",
        ("no late starts",),
    ),
    Deviation(
        "frames between",
        "paper: late in training also frames without annotation, at zero loss",
        "annotated frames; `train --unannotated` takes the others too",
        "every frame of a clip teaches",
    ),
    Deviation(
        "augmentation",
        "none named",
        "mirror images; on real video also turns, zooms, shifts, light, colours, reversed time",
        "real sets are small; on the drawn set minutes are what is short",
        ("no mirror images", "real video's augmentation", "every frame moved by a pixel"),
    ),
    Deviation("loss", "mean over all time steps", "mean over the frames that count", "padding must not teach"),
    Deviation("precision", "not said", "bfloat16 where it is faster, else float32", "time; the result file says which"),
    Deviation(
        "mask from probabilities",
        'threshold 0.5; bilinear to native size, "remove the anti-aliasing artifacts"',
        "probabilities are interpolated; each mask's threshold of highest expected J; then merged into ids",
        "J rises with every pixel above J / (1 + J), which is less than one half (measured in notebook 05)",
    ),
    Deviation(
        "inference",
        "the video",
        "the mean over the video and its mirror image; `segment(..., mirror=False)` asks once",
        "two answers are less wrong than one (measured in notebook 05)",
    ),
    Deviation(
        "scores", "the leader board's scorer, not public", "by the published definitions of J and F", "runs anywhere"
    ),
)


def changes(rows: Sequence[dict]) -> dict[str, list[float]]:
    """J of every training of a choice, less that of what it is compared with, from the same seed.

    rows: of data/results/choices.json. Equal seeds begin from equal weights and see the same clips.
    """
    J = {(row["choice"], row["seed"]): row["J"] for row in rows}
    found: dict[str, list[float]] = {}
    for row in rows:
        if row["choice"] != row["against"]:
            found.setdefault(row["choice"], []).append(row["J"] - J[row["against"], row["seed"]])
    return found


def deviation_table(choices: dict) -> str:
    """All deviations as Markdown, with what undoing each changed; choices: data/results/choices.json."""
    changed = {choice: mean(values) for choice, values in changes(choices["rows"]).items()}
    lines = ["| | report or paper | here, course preset | why | J, undone |", "|---|---|---|---|---|"]
    for row in DEVIATIONS:
        measured = "<br>".join(f"{name}: {changed[name]:+.3f}" for name in row.undone) or "–"
        lines.append(f"| {row.what} | {row.theirs} | {row.ours} | {row.why} | {measured} |")
    made = choices["provenance"]
    recipe = next(row["against"] for row in choices["rows"])
    J = [row["J"] for row in choices["rows"] if row["choice"] == recipe]
    lines += [
        "",
        f"Last column: {recipe} but for that one thing, {made['minutes_each']:g} minutes of one core from random "
        f"weights; mean J over {made['objects']} objects of the synthetic validation set, in clips of {made['frames']} "
        "frames, less that of the recipe from the same seed; the mean of two seeds. The recipe itself: "
        f"{mean(J):.3f}, over {len(J)} seeds from {min(J):.3f} to {max(J):.3f}, so a difference of "
        f"{(max(J) - min(J)) / 2:.3f} says nothing. A report trains eight times as long, and what pays off late is "
        "judged too early.",
    ]
    return "\n".join(lines)
