# The pairs of one box, one after the other, where they lie.

cdef struct Walk:
    const unsigned char* at  # what comes next
    const unsigned char* end  # of what was read
    const unsigned char* begin  # of the box
    const unsigned char* key
    Py_ssize_t key_size  # 0 at the end of the box
    const unsigned char* value
    Py_ssize_t value_size
    Py_ssize_t keys  # that have come
    const unsigned char* timeout  # the value of `_timeout`, or NULL
    Py_ssize_t timeout_size


cdef inline void start(Walk* walk, const char* data, Py_ssize_t at, Py_ssize_t end) noexcept:
    walk.begin = walk.at = <const unsigned char*>data + at
    walk.end = <const unsigned char*>data + end
    walk.keys = 0
    walk.timeout = NULL


cdef inline bint next_pair(Walk* walk) noexcept:
    """Take the next key and value, or the end of the box; return false if neither is there."""
    cdef Py_ssize_t size
    if walk.end - walk.at < 2:
        return False
    size = length_at(walk.at)
    walk.at += 2
    walk.key = walk.at
    walk.key_size = size
    if size == 0:
        return True
    if size > 255 or walk.end - walk.at < size + 2:
        return False
    walk.at += size
    size = length_at(walk.at)
    walk.at += 2
    if walk.end - walk.at < size:
        return False
    walk.value = walk.at
    walk.value_size = size
    walk.at += size
    walk.keys += 1
    return True


cdef inline bint is_within(Walk walk, Py_ssize_t most_keys, Py_ssize_t most_bytes) noexcept:
    """Say whether the rest of the box is there and keeps to the limits, without going there: the walk is a copy."""
    while next_pair(&walk):
        if walk.key_size == 0:
            return walk.keys <= most_keys and walk.at - walk.begin <= most_bytes
    return False


cdef inline bint tells_apart(Walk* walk) noexcept:
    """Say whether the key is one of those that say what a box is, wherever they stand; of equal ones the last."""
    return is_key(walk, "_answer", 7) or is_key(walk, "_ask", 4) or is_key(walk, "_command", 8) or is_key(walk, "_error", 6)


cdef inline bint is_key(Walk* walk, const char* key, Py_ssize_t size) noexcept:
    return walk.key_size == size and memcmp(walk.key, key, size) == 0
