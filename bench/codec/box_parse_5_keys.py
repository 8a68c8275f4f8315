"""What does it cost to take larger boxes, asks of 5 keys, out of the bytes of one read?"""

from functools import partial

from bench.codec import box_parse
from bench.codec.streams import FIVE_KEYS

twisted = partial(box_parse.twisted, FIVE_KEYS)
ampkit = partial(box_parse.ampkit, FIVE_KEYS)
