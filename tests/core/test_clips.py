"""Clips: the first frame initialises, masks stay 0/1, padding does not count, pixels are pixels."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from vos.augment import warp
from vos.clips import Clip, ClipDataset, RawClips, clip_indices, collate_clips, prepare_batch
from vos.config import NO_AUGMENTATION, AugmentConfig
from vos.data import IMAGENET_MEAN, IMAGENET_STD, VOSDataset, normalize_frames
from vos.files import VosError

SIZE = (64, 112)


@pytest.fixture(scope="module")
def videos(small_set):
    return VOSDataset(small_set).train


def test_shapes_and_values(videos):
    clip = ClipDataset(videos, SIZE, augment=AugmentConfig())[3, 5]
    assert clip.frames.shape == (5, 3, *SIZE) and clip.masks.shape == (5, 1, *SIZE)
    assert set(clip.masks.unique().tolist()) <= {0.0, 1.0} and clip.masks[0].any()
    assert clip.frame_weights.tolist() == [1] * 5


def test_normalisation_is_imagenets_and_rgb():
    red = np.zeros((1, 2, 2, 3), np.uint8)
    red[..., 0] = 255
    out = normalize_frames(red)[0, :, 0, 0]
    expected = [((1, 0, 0)[k] - IMAGENET_MEAN[k]) / IMAGENET_STD[k] for k in range(3)]
    torch.testing.assert_close(out, torch.tensor(expected))


def test_frames_and_masks_of_a_clip_belong_together(videos):
    """Unaugmented, the clip's first mask is the annotation of the very frame the clip starts with."""
    clips = ClipDataset(videos, SIZE)
    for number in range(len(clips)):
        clip = clips[number, 5]
        name, object_id = clip.name.split("/")
        video = next(v for v in videos if v.name == name)
        match = [i for i in video.annotated if torch.equal(normalize_frames(video.frame(i, SIZE)), clip.frames[0])]
        assert len(match) >= 1
        masks = [torch.from_numpy(video.mask(i, SIZE) == int(object_id)).float() for i in match]
        assert any(torch.equal(mask, clip.masks[0, 0]) for mask in masks)


def test_clips_start_anywhere_the_object_is(videos):
    video = videos[0]
    rng = np.random.default_rng(0)
    starts = {clip_indices(video, video.objects[0], 5, 1, rng)[0] for _ in range(200)}
    assert len(starts) > 5 and starts <= set(video.objects[0].frames)


def test_late_objects_start_where_they_enter_as_often_as_asked(videos):
    video = videos[0]
    late = replace(video.objects[0], first=4, frames=tuple(range(4, 20)))
    rng = np.random.default_rng(0)
    for share in (0.0, 0.7):
        starts = [clip_indices(video, late, 5, 1, rng, late_start=share)[0] for _ in range(400)]
        by_chance = (1 - share) / 12  # one of the twelve starts that leave a whole clip
        assert abs(np.mean([start == 4 for start in starts]) - share - by_chance) < 0.08
        assert len(set(starts)) > 5


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_indices_keep_their_stride(videos, stride):
    video = videos[0]
    indices = clip_indices(video, video.objects[0], 5, stride, np.random.default_rng(0))
    assert set(np.diff(indices)) == {stride}


def test_short_videos_are_padded_but_the_padding_does_not_count(videos):
    short = replace(videos[0], frame_paths=videos[0].frame_paths[:3], mask_paths=videos[0].mask_paths[:3])
    item = replace(short.objects[0], first=0, frames=(0, 1, 2))
    clip = ClipDataset([replace(short, objects=(item,))], SIZE, augment=NO_AUGMENTATION)[0, 5]
    counted = int(clip.frame_weights.sum())
    assert counted < 5 and clip.frame_weights[:counted].all()
    assert torch.equal(clip.frames[-1], clip.frames[counted - 1])


def test_a_sample_is_the_same_whoever_draws_it_and_no_two_are_alike(videos):
    one, two = (ClipDataset(videos, SIZE, augment=AugmentConfig(), seed=4) for _ in range(2))
    assert torch.equal(one[7, 5].frames, two[7, 5].frames)
    epoch = len(one)
    same = [torch.equal(one[n, 5].frames, one[n + epoch, 5].frames) for n in range(4)]
    assert not any(same)
    assert {one[n, 2].name for n in range(epoch)} == {one[n, 2].name for n in range(epoch, 2 * epoch)}


def test_a_clip_is_a_sample_number_and_a_length_and_one_epoch_can_be_walked(videos):
    clips = ClipDataset(videos, SIZE)
    assert all(torch.equal(a, b) for a, b in zip(clips[2][:3], clips[2, 5][:3], strict=True))  # the report's length
    walked = list(clips)
    assert len(walked) == len(clips) and {type(clip) for clip in walked} == {Clip}
    assert len({clip.name for clip in walked}) == len(clips)  # every object of every video once
    with pytest.raises(IndexError):
        clips[len(clips)]
    assert clips[len(clips), 5].frames.shape == walked[0].frames.shape  # of the next epoch


def test_a_plain_loader_makes_batches_of_clips(videos):
    clips = ClipDataset(videos, SIZE)
    batch = next(iter(DataLoader(clips, batch_size=3)))
    assert type(batch) is Clip and batch.frames.shape == (3, 5, 3, *SIZE) and batch.frame_weights.shape == (3, 5)
    assert list(batch.name) == [clips[n].name for n in range(3)]


def test_workers_draw_what_one_process_draws(videos):
    clips = ClipDataset(videos, SIZE, augment=AugmentConfig(), cache=False)
    batches = [[(n, 3), (n + 1, 3)] for n in range(0, 6, 2)]
    for workers in (0, 2):
        loader = DataLoader(RawClips(clips), batch_sampler=batches, num_workers=workers, collate_fn=collate_clips)
        for numbers, batch in zip(batches, loader, strict=True):
            made, alone = prepare_batch(batch, "cpu"), [clips[number] for number in numbers]
            for key in ("frames", "masks", "frame_weights"):
                assert torch.equal(getattr(made, key), torch.stack([getattr(clip, key) for clip in alone]))
            assert made.names == [clip.name for clip in alone]


def test_a_loading_process_hands_on_bytes(videos):
    """A float frame is four times as large, and the way from process to process is what it costs."""
    clips = ClipDataset(videos, SIZE, augment=AugmentConfig())
    batch = collate_clips([clips.read_clip((n, 3)) for n in range(2)])
    assert batch.frames.dtype == batch.masks.dtype == torch.uint8
    assert not any(isinstance(value, torch.Tensor) for params in batch.params for value in params)


def test_augmentation_works_in_pixels():
    masks = torch.zeros(1, 1, 64, 112)
    masks[..., 20:30, 40:60] = 1
    frames = masks.repeat(1, 3, 1, 1)
    moved_frames, moved = warp(frames, masks, turn=0, zoom=1, shift=(10, -4))
    expected = torch.zeros_like(masks)
    expected[..., 16:26, 50:70] = 1
    assert torch.equal(moved, expected)
    torch.testing.assert_close(moved_frames[:, :1], expected, atol=1e-4, rtol=0)
    assert warp(frames, masks, 0, 2, (0, 0))[1].sum().item() == pytest.approx(4 * masks.sum().item(), rel=0.05)
    bar = torch.zeros(1, 1, 64, 112)
    bar[..., 31:33, 46:66] = 1  # a level bar stands upright after a quarter turn, its length unchanged
    turned = warp(bar.repeat(1, 3, 1, 1), bar, 90, 1, (0, 0))[1][0, 0]
    assert turned.any(1).sum() == 20 and turned.any(0).sum() == 2


def test_nothing_to_train_on_is_said(videos):
    lonely = replace(videos[0], mask_paths=(videos[0].mask_paths[0],) + (None,) * (len(videos[0]) - 1))
    with pytest.raises(VosError, match="nothing to train on"):
        ClipDataset([lonely], SIZE)


def test_unannotated_frames_are_taken_and_do_not_count(videos):
    """A video that annotates every second frame: a clip of every frame has weights 1 0 1 0 and empty masks between."""
    sparse = []
    for video in videos:
        masks = tuple(path if i % 2 == 0 else None for i, path in enumerate(video.mask_paths))
        objects = tuple(item for item in video.objects if item.first % 2 == 0)
        sparse.append(replace(video, mask_paths=masks, objects=objects))
    clips = ClipDataset(sparse, SIZE)
    clip = clips[0, 5, 1.0]
    assert clip.frame_weights.tolist() == [1, 0, 1, 0, 1]
    assert not clip.masks[[1, 3]].any() and clip.masks[0].any()
    only_annotated = clips[0, 5, 0.0]
    assert only_annotated.frame_weights.tolist() == [1] * 5
    assert torch.equal(only_annotated.frames[0], clip.frames[0])
    shares = [clips[number, 5, 0.5].frame_weights.sum().item() for number in range(12)]
    assert 3 in shares and 5 in shares


def test_wobble_moves_each_frame_a_little(videos):
    still = replace(videos[0], frame_paths=videos[0].frame_paths[:1] * len(videos[0]))
    moving = ClipDataset([still], SIZE, augment=replace(NO_AUGMENTATION, wobble=2.0), cache=False)
    frames = moving[0, 4].frames
    differences = [(frames[t] - frames[0]).abs().mean().item() for t in range(1, 4)]
    assert all(0.001 < d < 1 for d in differences) and len(set(differences)) == 3
    assert set(moving[0, 4].masks.unique().tolist()) <= {0.0, 1.0}
