"""Byte streams that are nearly AMP, for hypothesis; judges none of them."""

from __future__ import annotations

from hypothesis import strategies as st

from ampkit.wire.box import encode_box, encode_pairs
from ampkit.wire.limits import Limits

SMALL = Limits(max_box_keys=3, max_box_bytes=40)
"""Limits that short streams reach."""

_tokens = st.binary(min_size=1, max_size=3)
_boxes = st.dictionaries(_tokens, st.binary(max_size=6), min_size=1, max_size=4)
_large_values = st.sampled_from([24, 25, 26, 30, 255, 256, 300]).map(lambda size: encode_pairs({b"v": bytes(size)}))
_noise = st.binary(max_size=3) | st.sampled_from([b"\0", b"\0\0", b"\0\1", b"\1\0", b"\xff\xff", b"\0\1k\0\1v"])


def nearly_amp() -> st.SearchStrategy[bytes]:
    """Boxes, parts of boxes, values that are too large and noise, one behind the other, perhaps cut short."""
    parts = _boxes.map(encode_box) | _boxes.map(encode_pairs) | _large_values | _noise
    return st.builds(
        lambda parts, keep: b"".join(parts)[:keep], st.lists(parts, max_size=8), st.none() | st.integers(0, 60)
    )
