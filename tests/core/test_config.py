"""Settings: what makes no sense is refused where it is written down, and the recipes are what they are said to be."""

from dataclasses import FrozenInstanceError, replace

import pytest

from vos.config import (
    COURSE_INFERENCE,
    NO_AUGMENTATION,
    PRESETS,
    REAL_INFERENCE,
    REPORT_INFERENCE,
    AugmentConfig,
    InferenceConfig,
    ModelConfig,
    TrainConfig,
    inference_config,
)
from vos.training import REAL, REPORT, SYNTHETIC, VIDEO, train_config

SMALL = ModelConfig((16, 32), ((6,), (8,)), 5, (6, 4), batch_norm=True)
NAN = float("nan")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"iterations": 0}, "iterations must be at least 1, not 0"),
        ({"minutes": 0}, "minutes must be positive or None, not 0"),
        ({"minutes": -1.0}, "minutes must be positive"),
        ({"minutes": NAN}, "minutes must be positive"),
        ({"curriculum": ()}, "curriculum must begin at 0"),
        ({"curriculum": ((0.1, 5, 4),)}, r"curriculum must begin at 0 .* not \[0.1\]"),
        ({"curriculum": ((0.0, 2, 8), (0.7, 5, 4), (0.5, 9, 2))}, "in order"),
        ({"curriculum": ((0.0, 2, 8), (1.5, 5, 4))}, "up to 1"),
        ({"curriculum": ((0.0, 1, 8),)}, "clips of 1 frames"),
        ({"curriculum": ((0.0, 2, 0),)}, "0 in a batch"),
        ({"sizes": ((0.5, 64, 112),)}, r"sizes must begin at 0 .* not \[0.5\]"),
        ({"soft_iou": -0.1}, "soft_iou must not be negative"),
        ({"backbone_rate": -0.1}, "backbone_rate must not be negative"),
        ({"learning_rate": 0.0}, "learning_rate must be positive, not 0.0"),
        ({"learning_rate": NAN}, "learning_rate must be positive"),
        ({"max_grad_norm": -1.0}, "max_grad_norm must be positive"),
        ({"muon": -0.1}, "muon must not be negative"),
        ({"weight_decay": -0.1}, "weight_decay must not be negative"),
        ({"warm_up": -1}, "warm_up must not be negative"),
        ({"checkpoint_every": -1}, "checkpoint_every must not be negative"),
        ({"seed": -1}, "seed must not be negative"),
        ({"workers": -1}, "workers must not be negative"),
        ({"precision": "bf16"}, r"precision must be one of .*'bfloat16'.*, not 'bf16'"),
        ({"precision": "float16"}, "precision must be one of"),
        ({"strides": ()}, "strides must be"),
        ({"strides": (1, 0)}, "strides must be .* at least 1"),
        ({"late_start": 1.1}, "fractions from 0 to 1, not 1.1"),
        ({"unannotated": (0.5, -0.1)}, "fractions from 0 to 1, not -0.1"),
        ({"unannotated": (2.0, 0.1)}, "fractions from 0 to 1, not 2.0"),
    ],
)
def test_wrong_training_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        TrainConfig(**wrong)
    with pytest.raises(ValueError, match=words):
        replace(SYNTHETIC, **wrong)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"threshold": 2}, "threshold must be a probability from 0 to 1 or None, not 2"),
        ({"threshold": -0.5}, "threshold must be"),
        ({"threshold": NAN}, "threshold must be"),
        ({"precision": "auto"}, r"precision must be one of \('float32', 'bfloat16'\), not 'auto'"),
        ({"precision": "bf16"}, "precision must be one of"),
    ],
)
def test_wrong_inference_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        InferenceConfig(**wrong)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"size": (15, 32)}, r"size \(15, 32\) does not divide by 4: patch 1, 2 poolings"),
        ({"size": (16, 30)}, "does not divide by 4"),
        ({"patch": 3}, "does not divide by 12: patch 3"),
        ({"widths": ((6,),)}, "2 decoder blocks cannot undo 1 poolings"),
        ({"decoder_channels": (4,)}, "1 decoder blocks cannot undo 2 poolings"),
        ({"state_activation": "gelu"}, r"state_activation must be one of \('tanh', 'relu'\), not 'gelu'"),
        ({"backbone": "resnet"}, r"backbone must be one of .*, not 'resnet'"),
        ({"skips": True}, "skips: the backbone vgg gives none"),
        ({"backbone": "efficientnet-lite0"}, "2 decoder blocks, patch 1: both must be 2"),
        ({"backbone": "efficientnet-lite0", "patch": 2, "size": (24, 32)}, r"size \(24, 32\) does not divide by 16"),
        ({"decoder_border": "reflect"}, r"decoder_border must be one of .*, not 'reflect'"),
    ],
)
def test_wrong_models_are_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        replace(SMALL, **wrong)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"flip": 1.5}, "flip must be a probability, not 1.5"),
        ({"reverse": -0.5}, "reverse must be a probability"),
        ({"permute": NAN}, "permute must be a probability"),
        ({"turn": -1}, "turn must not be negative"),
        ({"shift": -1}, "shift must not be negative"),
        ({"light": -0.1}, "light must not be negative"),
        ({"wobble": -0.1}, "wobble must not be negative"),
        ({"drift": -1}, "drift must not be negative"),
        ({"bend": -1}, "bend must not be negative"),
        ({"paste": 1.1}, "paste must be a probability"),
        ({"zoom": 0.8}, "zoom must be a factor of at least 1"),
    ],
)
def test_wrong_augmentation_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        AugmentConfig(**wrong)


def test_the_borders_of_what_makes_sense():
    TrainConfig(iterations=1, minutes=0.1, warm_up=0, curriculum=((0, 2, 1), (1, 3, 1)), unannotated=(0, 1))
    for threshold in (0, 0.5, 1, None):
        InferenceConfig(threshold)
    AugmentConfig(flip=0, reverse=1, permute=1, turn=0, zoom=1, shift=0, light=0)


def test_settings_do_not_change():
    for config, name in ((SMALL, "size"), (SYNTHETIC, "seed"), (NO_AUGMENTATION, "flip"), (COURSE_INFERENCE, "mirror")):
        with pytest.raises(FrozenInstanceError):
            setattr(config, name, 0)


def test_the_report_asks_once_and_at_one_half():
    assert InferenceConfig(threshold=0.5, mirror=False, precision="float32") == REPORT_INFERENCE
    assert InferenceConfig(threshold=None, mirror=True) == InferenceConfig() == COURSE_INFERENCE


def test_the_mirror_image_is_for_the_small_presets():
    assert inference_config(PRESETS["course"]) == inference_config(PRESETS["report"]) == COURSE_INFERENCE
    assert inference_config(PRESETS["real"]) == REAL_INFERENCE == InferenceConfig(mirror=False)


def test_sizes_of_the_presets():
    assert PRESETS["course"].output_stride == 4 and PRESETS["course"].feature_size == (16, 28)
    assert PRESETS["real"].output_stride == 8 and PRESETS["real"].feature_size == (32, 56)
    assert PRESETS["report"].output_stride == 32 and PRESETS["report"].feature_size == (8, 14)


def test_recipes():
    """The presets report and real are trained alike on every set, course on real video by smaller steps."""
    assert train_config("course", synthetic=True) is SYNTHETIC and train_config("course", synthetic=False) is REAL
    assert train_config("real", synthetic=False) is train_config("real", synthetic=True) is VIDEO
    assert train_config("report", synthetic=True) is train_config("report", synthetic=False) is REPORT
    assert (REPORT.learning_rate, REPORT.curriculum, REPORT.muon, REPORT.augment) == (
        1e-4,
        ((0.0, 5, 4),),
        0.0,
        NO_AUGMENTATION,
    )
    assert REAL.learning_rate < SYNTHETIC.learning_rate and min(length for _, length, _ in REAL.curriculum) == 5
    fast = train_config("course", synthetic=False, fast=True)
    few = replace(REAL, iterations=8, minutes=None, curriculum=((0.0, 5, 2),), warm_up=2)
    assert fast == few
