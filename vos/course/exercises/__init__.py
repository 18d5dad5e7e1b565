"""Checks for the exercises: each compares an attempt with the package's own function on random and edge inputs.

So solution and package cannot drift apart. A stub that still returns nothing is answered "not yet", so that a notebook
always runs to its end. Where an attempt goes wrong just as a typical mistake does, the mistake is named.
"""

from vos.course.exercises.attention import attention, followed_by_attention, read_from_two
from vos.course.exercises.data import black_and_white, normalize_frames, object_masks
from vos.course.exercises.fingerprints import fingerprint_distance
from vos.course.exercises.networks import all_frames_at_once, lstm_step, lstm_weights, receptive_field
from vos.course.exercises.online import two_opinions, weights_that_learn
from vos.course.exercises.own_video import box_of, box_similarity, follow
from vos.course.exercises.pictures import best_threshold, ids_at_size, median_example, merge_objects, painted
from vos.course.exercises.scores import contour_accuracy, region_similarity, statistics
from vos.course.exercises.training import (
    convolution_flop,
    curriculum_stage,
    learning_rate,
    mask_loss,
    muon_step,
    soft_iou,
)
from vos.course.exercises.updated import (
    representation_so_far,
    two_convolutions,
    updated_forward,
    video_representation,
)

__all__ = [
    "all_frames_at_once",
    "attention",
    "best_threshold",
    "black_and_white",
    "box_of",
    "box_similarity",
    "contour_accuracy",
    "convolution_flop",
    "curriculum_stage",
    "fingerprint_distance",
    "follow",
    "followed_by_attention",
    "ids_at_size",
    "learning_rate",
    "lstm_step",
    "lstm_weights",
    "mask_loss",
    "median_example",
    "merge_objects",
    "muon_step",
    "normalize_frames",
    "object_masks",
    "painted",
    "read_from_two",
    "receptive_field",
    "region_similarity",
    "representation_so_far",
    "soft_iou",
    "statistics",
    "two_convolutions",
    "two_opinions",
    "updated_forward",
    "video_representation",
    "weights_that_learn",
]
