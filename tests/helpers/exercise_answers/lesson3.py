"""Right and typical wrong answers to exercises of lesson 3."""

import torch
from torch.nn.functional import conv2d


def two_convolutions(encoded, h_video, weight, bias, more_bias=None, padding=1):
    C = encoded.shape[1]
    frames = conv2d(encoded, weight[:, :C], bias, padding=padding)
    return frames + conv2d(h_video, weight[:, C:], more_bias, padding=padding)


def stacked(encoded, h_video, weight, bias):
    both = torch.cat([encoded, h_video.expand(len(encoded), -1, -1, -1)], dim=1)
    return conv2d(both, weight, bias, padding=1)


def updated_forward(model, frames, first_mask, watched=0, video=True, live=False, zeros=False, begin=1):
    encoded = [model.encoder(x_t) for x_t in frames.unbind(1)]
    gates = model.video_lstm.input_to_gates
    state, seen = model.video_lstm.zero_state(gates(encoded[0])), []
    for e_t in encoded[watched:]:
        state = model.video_lstm.step(gates(e_t), state)
        seen.append(state[0])
    h, c = model.initializer(frames[:, 0], first_mask)
    logits = []
    h, c = (0 * h, 0 * c) if zeros else (h, c)
    for t in range(begin, frames.shape[1]):
        h_video = seen[t] if live else seen[-1]
        u_t = model.fusion(encoded[t], model.fusion.context_conv(h_video)) if video else encoded[t]
        h, c = model.mask_lstm.step(model.mask_lstm.input_to_gates(u_t), (h, c))
        logits.append(model.decoder(h))
    return torch.stack(logits, dim=1)


def representation_so_far(lstm, encoded, take=0, restart=False, early=False):
    gates = lstm.input_to_gates(encoded[:, 0])
    state, found = lstm.zero_state(gates), []
    for x in encoded.unbind(1):
        before = state[take]
        gates = lstm.input_to_gates(x)
        state = lstm.step(gates, lstm.zero_state(gates) if restart else state)
        found.append(before if early else state[take])
    return torch.stack(found, dim=1)


RIGHT = {
    "two_convolutions": [two_convolutions, stacked],
    "updated_forward": [updated_forward],
    "representation_so_far": [representation_so_far, lambda lstm, x: lstm(x)[0]],
}
WRONG = [
    ("two_convolutions", lambda e, v, w, b: two_convolutions(e, v, w, b, more_bias=b), "one frame", "counted once"),
    ("two_convolutions", lambda e, v, w, b: two_convolutions(e, v, w, None), "one frame", "bias is missing"),
    ("two_convolutions", lambda e, v, w, b: two_convolutions(e, v, w.roll(3, 1), b), "one frame",
     "exchanged"),
    ("two_convolutions", lambda *a: two_convolutions(*a, padding=0), "one frame", "loses a cell"),
    ("two_convolutions", lambda e, v, w, b: two_convolutions(e, 0 * v, w, b), "one frame", "half is missing"),
    ("two_convolutions", lambda e, v, w, b: conv2d(torch.cat([e, v], 1), w, b, padding=1), "five frames", "raises"),
    ("updated_forward", lambda *a: updated_forward(*a, watched=1), "two clips", "left out of h_video"),
    ("updated_forward", lambda *a: updated_forward(*a, video=False), "two clips", "the base model"),
    ("updated_forward", lambda *a: updated_forward(*a, live=True), "two clips", "the same for all t"),
    ("updated_forward", lambda *a: updated_forward(*a, zeros=True), "two clips", "starts from zeros"),
    ("updated_forward", lambda *a: updated_forward(*a, begin=0), "two clips", "frame 0 is predicted"),
    ("updated_forward", lambda *a: updated_forward(*a).sigmoid(), "two clips", "before the sigmoid"),
    ("representation_so_far", lambda *a: representation_so_far(*a, take=1), "one frame", "c is returned"),
    ("representation_so_far", lambda lstm, x: lstm(x)[1][0], "one frame", "each t needs its own"),
    ("representation_so_far", lambda lstm, x: lstm(x)[1][0][:, None].repeat(1, x.shape[1], 1, 1, 1), "two videos",
     "seen the future"),
    ("representation_so_far", lambda *a: representation_so_far(*a, restart=True), "two videos", "hand the state on"),
    ("representation_so_far", lambda *a: representation_so_far(*a, early=True), "one frame", "one frame late"),
]  # fmt: skip
