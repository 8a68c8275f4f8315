"""What does it cost to take larger boxes, asks of 5 keys, out of the bytes of one read?"""

from functools import partial

from bench import box_parse
from bench.children import codec
from bench.question import Question
from bench.streams import FIVE_KEYS

twisted = partial(box_parse.twisted, FIVE_KEYS)
ampkit = partial(box_parse.ampkit, FIVE_KEYS)

QUESTIONS = [Question("box parse, 5 keys", 5, 200_000, 40_000, partial(codec, "box_parse_5_keys"))]
