"""Figures: arrays in, a matplotlib Figure out. Nothing here reads a file or knows a model or a data set.

Every figure is drawn in the course's own style, which does not leak into the caller's matplotlib; `use_style` puts it
on for all of a notebook. Figures are plain objects outside pyplot: `show` shows one in a notebook, with alternative
text, and `save` writes it. Arrays of the wrong shape are ValueErrors.
"""

from vos.figures.architecture import draw_architecture
from vos.figures.lessons import ablation_effects, contour_matching, dataset_statistics, feature_maps
from vos.figures.pictures import clip_strip, contact_sheet, prediction_rows, row_label, show_image, spotlight
from vos.figures.progress import LiveFigure, progress_figure, progress_file
from vos.figures.results import loss_curves, score_bars, score_by_frame, score_differences, score_over_time, smooth_loss
from vos.figures.style import BASE, UPDATED, WIDTH, model_color, model_look, save, show, styled, use_style
