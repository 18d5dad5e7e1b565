"""Augmentation that makes clips of stills: drift, bending, another size, and objects pasted onto other clips."""

from dataclasses import replace

import numpy as np
import torch
from PIL import Image

from vos.augment import FOLLOWED, IN_FRONT, AugmentParams, augment, paste, warp
from vos.clips import ClipDataset, MixedClips, RawClips, collate_clips, prepare_batch
from vos.config import NO_AUGMENTATION
from vos.data import Video, VideoObject, VOSDataset
from vos.masks import write_mask

SIZE = (64, 96)


def square(left=30, top=20, side=20):
    """A bright square on a dark ground: frames uint8 (4, H, W, 3), masks (4, 1, H, W)."""
    masks = torch.zeros(4, 1, *SIZE)
    masks[..., top : top + side, left : left + side] = 1
    return (masks * 200 + 20).to(torch.uint8)[:, 0, :, :, None].expand(-1, -1, -1, 3), masks


def draw(**how):
    return AugmentParams.draw(replace(NO_AUGMENTATION, **how), 4, np.random.default_rng(3))


def middle(mask):
    rows, columns = (mask > 0).nonzero(as_tuple=True)
    return rows.float().mean().item(), columns.float().mean().item()


def test_drift_goes_on_from_frame_to_frame():
    """The first frame stays; the others move on by the same step, frame and mask together."""
    params = draw(drift=4)
    assert params.turn[0] == 0 and (params.shift[0] == 0).all() and params.zoom[0] == 1
    assert np.allclose(np.diff(params.shift, axis=0), params.shift[1]) and np.abs(params.shift[1]).max() <= 4
    frames, masks = square()
    moved_frames, moved = augment(frames, masks, params)
    assert torch.equal(moved[0], masks[0]) and not torch.equal(moved[1], masks[1])
    places = [middle(mask[0]) for mask in moved]
    way = np.diff([column for _, column in places])
    assert np.allclose(way, way[0], atol=1) and abs(way[0] - params.shift[1][0]) < 1.5
    assert (moved_frames[3, 0] > 0).float().mul(moved[3, 0]).sum() > 0.9 * moved[3].sum()


def test_bending_grows_towards_the_last_frame():
    frames, masks = square()
    bend = np.full((2, 4, 6), 0.0)
    bend[0] = 9.0  # everything comes from nine pixels further right
    _, moved = warp(masks.repeat(1, 3, 1, 1), masks, 0, 1, (0, 0), bend)
    assert [round(middle(mask[0])[1] - middle(masks[0, 0])[1]) for mask in moved] == [0, -3, -6, -9]
    params = draw(bend=12)
    _, bent = augment(frames, masks, params)
    assert torch.equal(bent[0], masks[0]) and not torch.equal(bent[3], masks[3])
    assert set(bent.unique().tolist()) <= {0.0, 1.0}


def test_at_another_size_frames_and_masks_are_stretched():
    frames, masks = square()
    small, half = augment(frames, masks, draw(), (32, 48))
    assert small.shape == (4, 3, 32, 48) and half.shape == (4, 1, 32, 48)
    assert half.sum() == masks.sum() / 4 and half[0, 0, 10:20, 15:25].all()
    large, _ = augment(frames, masks, draw())
    assert torch.allclose(small, torch.nn.functional.avg_pool2d(large, 2), atol=1e-4)


def test_what_is_pasted_in_front_hides_and_what_is_followed_is_the_mask():
    far, near = square(left=20)[1], square(left=30)[1]
    frames = torch.stack([torch.full((4, 3, *SIZE), 1.0), torch.full((4, 3, *SIZE), 2.0)])
    masks = torch.stack([far, near])
    same, kept = paste(frames, masks, [0, 0])
    assert torch.equal(same, frames) and torch.equal(kept, masks)
    hidden, left = paste(frames, masks, [IN_FRONT, 0])
    assert torch.equal(left[0], far * (1 - near)) and torch.equal(left[1], near)
    assert (hidden[0][:, :1][near > 0] == 2).all() and (hidden[0][:, :1][near == 0] == 1).all()
    assert torch.equal(hidden[1], frames[1])
    _, followed = paste(frames, masks, [FOLLOWED, 0])
    assert torch.equal(followed[0], near)
    _, covered = paste(frames, torch.stack([far, far]), [IN_FRONT, 0])  # nothing would be left to follow
    assert torch.equal(covered[0], far)


def test_a_still_becomes_a_clip(tmp_path):
    """One photograph, repeated: its clips move, and the mask moves with the picture."""
    picture, ids = np.full((*SIZE, 3), 30, np.uint8), np.zeros(SIZE, np.uint8)
    picture[20:40, 30:60], ids[20:40, 30:60] = 220, 1
    Image.fromarray(picture).save(tmp_path / "a.png")
    write_mask(tmp_path / "m.png", ids)
    item = VideoObject(1, None, 0, (0, 1, 2, 3))
    still = Video("a", (tmp_path / "a.png",) * 4, (tmp_path / "m.png",) * 4, (item,))
    clips = ClipDataset([still], SIZE, augment=replace(NO_AUGMENTATION, drift=5, bend=6), cache=True)
    clip = clips[0, 4]
    assert len(clips.cached) == 1
    assert len({mask.numpy().tobytes() for mask in clip.masks}) == 4
    bright = (clip.frames[:, :1] > 0).float()
    assert ((bright * clip.masks).sum(dim=(1, 2, 3)) > 0.9 * clip.masks.sum(dim=(1, 2, 3))).all()


def test_mixed_clips_come_from_every_set_in_their_shares(small_set):
    videos = VOSDataset(small_set).train
    sets = [ClipDataset(videos[:2], SIZE), ClipDataset(videos[2:4], SIZE)]
    mixed = MixedClips(sets, (0.8, 0.2), seed=1)
    names = [mixed.read_clip((n, 2, 0.0)).names[0].split("/")[0] for n in range(60)]
    first = {video.name for video in videos[:2]}
    assert 36 <= sum(name in first for name in names) <= 58
    assert names[7] == RawClips(mixed)[7, 2, 0.0].names[0].split("/")[0]  # whoever draws it
    assert prepare_batch(collate_clips([mixed.read_clip((n, 2)) for n in range(3)]), size=(32, 48)).frames.shape == (
        3,
        2,
        3,
        32,
        48,
    )
