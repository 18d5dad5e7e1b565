"""Figures: ordinary and edge inputs give a Figure that can be drawn; what is written stays the same."""

import base64
import io
import itertools
from types import ModuleType

import matplotlib
import nbclient
import nbformat
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from vos import figures
from vos.figures import architecture
from vos.figures.results import running_median

pytestmark = pytest.mark.slow  # all of it is for the whole suite

REPORT_ROW = {"name": "report base", "source": "leader board", "J_seen": 0.005, "F_seen": 0.07, "overall": 0.03}


def clip(count=6, high=32, wide=56):
    """Frames of noise and a square, id 3, that moves right."""
    frames = np.random.default_rng(0).integers(0, 256, (count, high, wide, 3), np.uint8)
    masks = np.zeros((count, high, wide), np.uint8)
    for t in range(count):
        masks[t, 8:16, 2 * t : 2 * t + 8] = 3
    return frames, masks


def drawn(figure):
    """The figure, after drawing it whole; all of its texts. A layout that collapses warns, and fails here."""
    assert isinstance(figure, Figure)
    assert figure.get_facecolor() == (1, 1, 1, 1)
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    return figure, [t.get_text() for t in figure.findobj(matplotlib.text.Text) if t.get_text()]


@pytest.fixture(autouse=True)
def warnings_are_errors_and_style_does_not_leak(recwarn):
    before = dict(matplotlib.rcParams)
    yield
    assert dict(matplotlib.rcParams) == before
    assert [str(w.message) for w in recwarn if issubclass(w.category, (UserWarning, RuntimeWarning))] == []


def test_colours_are_the_houses_everywhere():
    assert figures.model_color("base") == figures.model_color("report base") == "#009E73"
    assert figures.model_color("updated") == figures.model_color("report updated") == "#0072B2"
    assert figures.model_color("base, 600 iterations") == "#009E73"
    assert figures.model_look("report updated") != figures.model_look("updated")
    models = [figures.model_look(n) for n in ("base", "updated", "copy-first", "empty", "no such model")]
    assert len({look.line for look in models}) == len({look.color for look in models}) == 5


def training_log(loss, length=None, **others):
    """The columns of a log: an iteration a minute."""
    steps = np.arange(1, len(loss) + 1)
    return {"iteration": steps, "loss": loss, "length": length or [2] * len(loss), "seconds": 60 * steps} | others


def test_loss_curves_end_at_their_running_median():
    curves = {"base": training_log([0.7, 0.5, np.nan, 0.3, 0.2]), "updated": training_log([0.6, 0.25])}
    figure, texts = drawn(figures.loss_curves(curves, window=1))
    assert texts.count("base  0.2000") == texts.count("updated  0.2500") == len(figure.axes) == 2


def test_loss_curves_mark_where_clips_get_longer_and_compare_at_equal_shares():
    base = training_log(0.5 / np.arange(1, 9), [2, 2, 2, 2, 5, 5, 9, 9])
    updated = training_log(0.4 / np.arange(1, 5), [2, 2, 5, 9], seconds=[100, 200, 300, 400])  # fewer minutes
    figure, texts = drawn(figures.loss_curves({"base": base, "updated": updated}))
    assert texts.count("base") == texts.count("updated") == 2
    assert texts.count("2 frames") == texts.count("5 frames") == texts.count("9 frames") == 4
    above, below = ({line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == ":"} for axes in figure.axes)
    assert above == {5, 7, 3, 4} and below == {62.5, 87.5, 75, 100}  # iterations; shares of each one's minutes
    shares = {tuple(line.get_xdata()) for line in figure.axes[1].lines if line.get_xdata()[-1] == 100}
    assert {(12.5, 25, 37.5, 50, 62.5, 75, 87.5, 100), (25, 50, 75, 100)} <= shares


def test_loss_curves_of_one_value_and_of_a_wrong_shape():
    drawn(figures.loss_curves({"base": training_log([0.69])}))
    with pytest.raises(ValueError, match="base"):
        figures.loss_curves({"base": training_log([0.69], iteration=[1, 2])})
    with pytest.raises(ValueError, match="not empty"):
        figures.loss_curves({"base": training_log([])})


def test_a_smooth_loss_steps_where_the_clips_get_longer():
    loss, length = np.array([1, 9, 1, 1, 5, 5, 5]), np.array([2, 2, 2, 2, 5, 5, 5])
    np.testing.assert_array_equal(figures.smooth_loss(loss, length, window=5), [1, 1, 1, 1, 5, 5, 5])
    assert len(figures.smooth_loss(loss, length)) == 7


def test_running_median_by_hand():
    np.testing.assert_array_equal(running_median([1, 9, 2, 8, 3], 3), [5, 2, 8, 3, 5.5])
    np.testing.assert_array_equal(running_median([1, np.nan, 3], 3), [1, 2, 3])
    np.testing.assert_array_equal(running_median([np.nan, 4], 1), [np.nan, 4])


def test_labels_of_close_curves_do_not_meet():
    curves = {name: np.array([np.nan, 0.5, 0.5 + 0.001 * k]) for k, name in enumerate(("base", "updated", "empty"))}
    figure, _ = drawn(figures.score_over_time(curves))
    heights = sorted(t.get_position()[1] for t in figure.axes[0].texts)
    assert len(heights) == 3 and min(np.diff(heights)) > 0.06


def test_score_over_time_with_nothing_scored():
    _, texts = drawn(figures.score_over_time({"base": np.full(4, np.nan), "copy-first": np.array([np.nan, 0.3])}))
    assert "copy-first  0.30" in texts and not any(t.startswith("base") for t in texts)


def test_score_bars_leave_out_what_nobody_has_and_mark_what_one_lacks():
    rows = [REPORT_ROW, {"name": "base", "J_seen": 0.6, "J_unseen": None, "F_seen": float("nan"), "overall": 0.7}]
    figure, texts = drawn(figures.score_bars(rows))
    titles = [axes.get_title("left") for axes in figure.axes]
    assert titles == ["J seen", "F seen", "overall"]
    assert " –" in texts and " 0.600" in texts and "report base\nleader board" in texts
    with pytest.raises(ValueError, match="overall"):
        figures.score_bars([{"name": "base", "overall": None}])


@pytest.mark.parametrize(("count", "high", "wide"), [(1, 32, 56), (2, 56, 32), (5, 32, 56), (10, 90, 50)])
def test_prediction_rows_of_any_length_and_shape(count, high, wide):
    frames, masks = clip(count, high, wide)
    rows = [("truth", masks), ("base", masks), ("an updated model with a very long label", masks)]
    names = [f"{5 * t:05d}" for t in range(count)]
    scores = {"base": np.r_[np.nan, np.full(count - 1, 0.5)]}
    figure, texts = drawn(figures.prediction_rows(frames, rows, names, scores, columns=5))
    shown = min(count, 5)
    assert len(figure.axes) == 4 * shown
    assert {names[0], names[-1]} <= set(texts)
    assert texts.count("given") == 3 and texts.count("J 0.50") == shown - 1
    image = figure.axes[shown].images[0].get_array()
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), frames[0])
    np.testing.assert_array_equal(image, figures.spotlight(frames[0], masks[0]))


def test_prediction_rows_without_scores_names_or_a_given_mask():
    frames, masks = clip(7)
    figure, texts = drawn(figures.prediction_rows(frames, [("base", masks)], columns=3, given=None, title="a title"))
    assert len(figure.axes) == 6 and {"t = 0", "t = 3", "t = 6", "a title"} <= set(texts)
    assert "given" not in texts
    with pytest.raises(ValueError, match="base"):
        figures.prediction_rows(frames, [("base", masks[:3])])


def test_saved_twice_is_the_same_file_without_a_date(tmp_path):
    for name in ("a.png", "b.png"):
        figures.save(figures.loss_curves({"base": training_log([0.6, 0.2])}), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        assert image.width == 1350 and set(image.info) == {"dpi"}
        assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_a_failed_save_leaves_nothing(tmp_path):
    with pytest.raises(AttributeError):
        figures.save(None, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


DOOR = """
    BASE UPDATED WIDTH LiveFigure ablation_effects clip_strip contact_sheet contour_matching dataset_statistics
    draw_architecture feature_maps loss_curves model_color model_look prediction_rows progress_figure progress_file
    row_label save score_bars score_by_frame score_differences score_over_time show show_image smooth_loss spotlight
    styled use_style
"""


def test_the_door_has_what_it_says():
    modules = {name for name, value in vars(figures).items() if isinstance(value, ModuleType)}
    assert {name for name in vars(figures) if not name.startswith("_")} - modules == set(DOOR.split())


def test_one_line_puts_the_style_on_for_good():
    with matplotlib.rc_context():
        figures.use_style()
        assert matplotlib.rcParams["figure.figsize"] == [figures.WIDTH, 4] and matplotlib.rcParams["axes.grid"]
        assert Figure().get_layout_engine() is not None


LESSON = """
import matplotlib.pyplot as plt, numpy as np
from vos import figures
figures.use_style()
---
fig, ax = plt.subplots(figsize=(figures.WIDTH, 3))
ax.plot([1, 2], color=figures.BASE)
ax.set(title="plain matplotlib");
---
figures.score_over_time({"base": np.array([np.nan, 0.5])})
---
frames = np.random.default_rng(0).integers(0, 256, (2, 32, 56, 3), np.uint8)
figures.prediction_rows(frames, [("base", frames[..., 0] % 2)])
---
fig, (left, right) = plt.subplots(1, 2)
figures.show_image(left, frames[0])
right.plot([1, 2])
figures.save(fig, "both.png")
---
fig, ax = plt.subplots()
ax.plot([1, 2])
for name in ("one", "two"):
    _, other = plt.subplots()
    other.set_title(name)
---
fig, ax = plt.subplots()
ax.plot([1, 2])
figures.show(fig, 'A line that rises: "1 < 2"')
---
figures.show(figures.prediction_rows(frames, [("base", frames[..., 0] % 2)]), "Noise & masks of noise")
---
watch = figures.LiveFigure("base")
rows = [{"iteration": i, "loss": 0.7, "length": 2, "seconds": 6.0} for i in range(3)]
for end in (1, 2, 3):
    watch(rows[:end])
"""


@pytest.mark.slow
def test_a_notebook_shows_each_figure_once_pictures_as_jpeg_and_curves_as_png(tmp_path):
    cells = [nbformat.v4.new_code_cell(source.strip()) for source in LESSON.split("---")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [[set(out.get("data", {})) - {"text/plain"} for out in cell.outputs] for cell in notebook.cells]
    png, jpeg = {"image/png"}, {"image/jpeg"}
    html = {"text/html"}
    assert shown == [[], [png], [png], [jpeg], [jpeg], [png] * 3, [html], [html], [html]]
    data = [cell.outputs[0]["data"] for cell in notebook.cells[1:5]]
    pictures = [base64.b64decode(d.get("image/png") or d["image/jpeg"]) for d in data]
    assert [Image.open(io.BytesIO(picture)).width for picture in pictures[:2]] == [900, 900]
    assert len(pictures[0]) < 25_000
    assert (tmp_path / "both.png").is_file()
    rises, noise, watched = (cell.outputs[0]["data"] for cell in notebook.cells[6:])
    assert rises["text/plain"] == 'A line that rises: "1 < 2"'
    assert rises["text/html"].startswith(
        '<img alt="A line that rises: &quot;1 &lt; 2&quot;" src="data:image/png;base64,iVBOR'
    )
    assert noise["text/html"].startswith('<img alt="Noise &amp; masks of noise" src="data:image/jpeg;base64,/9j/')
    assert "3 iterations" in watched["text/plain"]  # of the last update


def test_a_figure_is_not_shown_without_alternative_text():
    with pytest.raises(ValueError, match="alternative text is empty"):
        figures.show(Figure(), " ")


@pytest.mark.parametrize("model", ["base", "updated", "attention"])
@pytest.mark.parametrize("shape", [None, (32, 56), (90, 50)])
def test_architecture_shows_the_parts_of_its_model(model, shape):
    frames, masks = (None, None) if shape is None else clip(5, *shape)
    figure, texts = drawn(figures.draw_architecture(model, frames, masks))
    assert {"Initializer", "Encoder", "Decoder", r"$c_0,\ h_0$", "$e_{1}$", r"$\tilde{y}_{T{-}1}$"} <= set(texts)
    for added in ("Video\nConvLSTM", "Convolutional\nblock", "$h_{video}$", "added by the updated model"):
        assert (added in texts) == (model == "updated"), added
    assert len(figure.axes[0].images) == (0 if shape is None else 8)


def test_no_two_boxes_of_the_architecture_meet():
    for model in ("base", "updated", "attention"):
        figure, _ = drawn(figures.draw_architecture(model))
        axes = figure.axes[0]
        kinds = (p for p in axes.patches if isinstance(p, matplotlib.patches.FancyBboxPatch))
        boxes = [p.get_window_extent() for p in kinds]
        for i, one in enumerate(boxes):
            assert axes.bbox.contains(one.x0, one.y0) and axes.bbox.contains(one.x1, one.y1)
            assert not any(one.overlaps(other) for other in boxes[i + 1 :])


@pytest.mark.parametrize("model", ["base", "updated", "attention"])
def test_no_arrow_of_the_architecture_runs_through_a_box(model, monkeypatch):
    boxes, arrows = [], []
    monkeypatch.setattr(architecture, "box", lambda axes, centre, size, *rest: boxes.append((*centre, *size)))
    monkeypatch.setattr(architecture, "arrow", lambda axes, points, *rest: arrows.append(points))
    figures.draw_architecture(model)
    x, y, wide, high = np.array(boxes).T
    assert len(arrows) > 15 and len(boxes) > 15
    for points in arrows:
        for start, end in itertools.pairwise(points):
            along = np.linspace(start, end, 200)
            inside = (abs(along[:, :1] - x) < wide / 2 - 0.02) & (abs(along[:, 1:] - y) < high / 2 - 0.02)
            assert not inside.any(), (start, end)


def test_architecture_says_what_it_needs():
    with pytest.raises(ValueError, match="base"):
        figures.draw_architecture("video2")
    with pytest.raises(ValueError, match="at least 4"):
        figures.draw_architecture(frames=clip(3)[0])


def test_contact_sheet_of_mixed_sizes_and_of_none():
    images = [clip(1, 32, 56)[0][0], clip(1, 56, 32)[0][0], clip(1, 20, 60)[0][0]]
    figure, texts = drawn(figures.contact_sheet(images, ["one", "two\nlines", "three"], columns=2, title="three"))
    shapes = [axes.images[0].get_array().shape for axes in figure.axes[:3]]
    ratios = [round(high / wide, 1) for high, wide, _ in shapes]
    assert ratios == [1.2, 1.2, 0.3]  # the tiles of a row are of one shape, and each row has its own
    assert "two\nlines" in texts
    drawn(figures.contact_sheet(images[:1]))
    with pytest.raises(ValueError, match="at least one image"):
        figures.contact_sheet([])


def test_clip_strip_shows_frames_without_annotation_as_they_are():
    frames, masks = clip(3)
    figure, _ = drawn(figures.clip_strip(frames, [masks[0], None, masks[2]], "a clip", columns=3))
    bare = [np.array_equal(axes.images[0].get_array(), f) for axes, f in zip(figure.axes, frames, strict=True)]
    assert bare == [False, True, False]
    drawn(figures.clip_strip(frames[:1]))
    with pytest.raises(ValueError, match="3 frames but 2 masks"):
        figures.clip_strip(frames, masks[:2])


def test_dataset_statistics_with_and_without_categories():
    seen = {f"animal {i}": 40 - i for i in range(30)}
    _, texts = drawn(figures.dataset_statistics([0.01, 0.2, 0.0], [20, 20, 21], seen, {"yeti": 99}))
    assert "yeti" in texts and "unseen in training" in texts and "Objects of each category (and 13 rarer ones)" in texts
    drawn(figures.dataset_statistics([0.1], [40], {}))
    drawn(figures.dataset_statistics([], [], {}))


def test_contour_matching_counts_what_it_draws():
    truth = np.zeros((40, 60), bool)
    truth[10:30, 10:40] = True
    _, texts = drawn(figures.contour_matching(truth, truth, 1))
    assert any(t.endswith("= 1.00") for t in texts if t.startswith("F ="))
    far = np.zeros_like(truth)
    far[34:38, 50:56] = True
    _, texts = drawn(figures.contour_matching(far, truth, 1))
    assert any(t.startswith("precision = 0 of") for t in texts) and any(t.endswith("= 0.00") for t in texts)
    drawn(figures.contour_matching(np.zeros_like(truth), np.zeros_like(truth), 2))
    with pytest.raises(ValueError, match="must be of one size"):
        figures.contour_matching(truth[1:], truth, 1)


def test_ablation_effects_are_sorted_and_grey_where_they_say_nothing():
    changes = {"small": [0.01, -0.01], "better": [0.1, 0.2], "worse": [-0.3, -0.2]}
    figure, _ = drawn(figures.ablation_effects(changes, spread=0.05))
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["better", "small", "worse"]
    assert [line.get_color() for line in axes.lines if line.get_marker() == "o"] == ["#D55E00", "#777777", "#009E73"]
    drawn(figures.ablation_effects({"one": [0.1]}))


def test_differences_of_scores_are_grey_where_zero_is_inside_and_show_every_seed():
    found = {"higher": (0.03, 0.01, 0.05), "either": (0.0, -0.02, 0.02), "lower": (-0.04, -0.07, -0.01)}
    seeds = {name: [mean - 0.01, mean, mean + 0.01] for name, (mean, _, _) in found.items()}
    figure, texts = drawn(figures.score_differences(found, seeds, "differences"))
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(found)
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert [line.get_color() for line in dots] == [figures.UPDATED, "#777777", "#D55E00"]
    assert [list(line.get_xdata()) for line in dots] == list(seeds.values())
    bars = [line for line in axes.lines if line.get_linewidth() == 6]
    assert [tuple(line.get_xdata()) for line in bars] == [(low, high) for _, low, high in found.values()]
    assert {"+0.030", "+0.000", "-0.040"} <= set(texts)
    with pytest.raises(ValueError, match="does not hold"):
        figures.score_differences({"a": (0.2, 0, 0.1)}, {"a": [0.2]}, "")


@pytest.mark.parametrize(("shape", "columns"), [((1, 8, 14), 16), ((20, 8, 14), 8), ((64, 4, 3), 16)])
def test_feature_maps_of_any_count(shape, columns):
    h = np.random.default_rng(0).normal(size=shape)
    figure, _ = drawn(figures.feature_maps(h, columns))
    sheet = figure.axes[0].images[0]
    assert np.isfinite(sheet.get_array().filled(np.nan)).sum() == h.size
    assert sheet.get_clim() == (-abs(h).max(), abs(h).max())


def test_feature_maps_of_zeros_and_of_a_wrong_shape():
    drawn(figures.feature_maps(np.zeros((2, 3, 4))))
    with pytest.raises(ValueError, match="C, h, w"):
        figures.feature_maps(np.zeros((3, 4)))
