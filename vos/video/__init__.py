"""Video files in and out, by PyAV (an optional package): frames one by one, masks for them, and pictures of both."""

from vos.video.drawn import box_corners, polygon_mask
from vos.video.library import has_pyav
from vos.video.reading import VideoInfo, VideoWarning, read_video, timed_frames, video_info
from vos.video.segmenting import segment_frames, segmented_frames
from vos.video.writing import video_writer, write_overlay

__all__ = [
    "VideoInfo",
    "VideoWarning",
    "box_corners",
    "has_pyav",
    "polygon_mask",
    "read_video",
    "segment_frames",
    "segmented_frames",
    "timed_frames",
    "video_info",
    "video_writer",
    "write_overlay",
]
