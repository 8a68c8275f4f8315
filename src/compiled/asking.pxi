# The asks of one end, as `ampkit.asyncio.calls` makes them where nothing about them is unusual.

DEF AT_TAG = 8  # where the tag of an ask stands in its box

cdef extern from "Python.h":
    int PyContextVar_Get(object, PyObject*, PyObject**) except -1


cdef class Common:
    """What is the same for all connections."""

    cdef object unset
    cdef object turn
    cdef object open
    cdef object nothing
    cdef object empty
    cdef object unsent

    def __init__(self, *, unset, turn, open, nothing, empty, unsent):
        self.unset = unset
        self.turn = turn
        self.open = open
        self.nothing = nothing
        self.empty = empty
        self.unsent = unsent


cdef class Asking:
    """Asks for whoever has a command and its Plan."""

    cdef Common common
    cdef Flow flow
    cdef LinkFields link
    cdef ConversationFields conversation
    cdef CreditFields credit
    cdef object calls
    cdef object create_future
    cdef object timeout

    def __init__(self, common, channel, link, conversation, calls, timeout):
        self.common = common
        self.flow = channel
        self.link = link
        self.conversation = conversation
        self.credit = calls.credit
        self.calls = calls
        self.create_future = channel.loop.create_future
        self.timeout = timeout

    def ask(self, Plan plan, command, timeout):
        """Queue an ask, as soon as there is credit and room for it, and return its Reply.

        Returns None if that takes more than this: then nothing was done.
        """
        cdef Buffer buffer
        if timeout is self.common.unset:
            timeout = self.timeout
        if timeout is not None and not (isinstance(timeout, (int, float)) and timeout > 0):
            return None
        if self.link.state is not self.common.open or self._is_responding():
            return None
        begin(&buffer)
        try:
            return self._ask(plan, command, timeout, &buffer)
        finally:
            release(&buffer)

    cdef Reply _ask(self, Plan plan, object command, object seconds, Buffer* buffer):
        cdef Py_ssize_t head, size
        cdef int at = 0
        cdef Reply reply
        cdef Py_ssize_t number = self.conversation.count + 1
        cdef bytes tag = hexadecimal(number)
        put(buffer, "\0\4_ask", 6)
        put_length(buffer, PyBytes_GET_SIZE(tag))
        put_bytes(tag, buffer)
        head = buffer.size
        try:
            plan.encode.put(command, None, buffer, &at)
        except Exception:
            return None
        size = buffer.size - head + 20
        if not self._is_as_before(number) or buffer.size + 32 > self.link._max_bytes:
            return None
        has_credit = self.credit.taken + size <= self.credit.free_below
        if not has_credit and (self.credit.taken == 0 or (<object>self.credit).is_withdrawn):
            return None
        reply = Reply.__new__(Reply)
        reply.future = self.create_future()
        reply.plan = plan
        reply.credit = self.credit
        if seconds is not None:
            reply.deadlines = self.calls.deadlines
            reply.limit = reply.deadlines.start(seconds)
            reply.limit.waiting = reply.future
        if self.flow.is_full or not has_credit:
            put_length(buffer, 0)
            self._wait(reply, has_credit, size, finished(buffer), head)
            return reply
        if reply.limit is not None:
            put_bytes(self.calls.timeout_pair(reply.limit), buffer)
        reply.tag = tag
        reply.size = size
        put_length(buffer, 0)
        self.credit.taken += size
        self.conversation.count = number
        PyList_Append(self.link._queue, finished(buffer))
        PyDict_SetItem(self.conversation.asking, tag, reply)
        try:
            self._asked(size)
        except BaseException:
            reply.end()
            raise
        return reply

    cdef int _wait(self, Reply reply, bint has_credit, Py_ssize_t size, bytes box, Py_ssize_t head) except -1:
        cdef Unsent unsent = Unsent.__new__(Unsent)
        unsent.asking = self
        unsent.reply = reply
        unsent.box = box
        unsent.head = head
        unsent.size = size
        reply.tag = b""
        reply.unsent = unsent
        (<object>self.flow).hindered += 1
        if not self.flow.is_reading:
            (<object>self.flow).pull_soon()
        if has_credit:
            self.credit.taken += size
            unsent.find_room()
        else:
            (<object>self.credit).line_up(unsent, size)
        return 0

    cdef int send(self, Unsent unsent) except -1:
        """Queue an ask that has waited. Raises what any ask does that comes too late."""
        cdef Reply reply = unsent.reply
        cdef bytes box = unsent.box, tag, timeout = b""
        if reply.limit is not None:
            timeout = self.calls.timeout_pair(reply.limit)
        tag = hexadecimal(self.conversation.count + 1)
        if timeout or AT_TAG + PyBytes_GET_SIZE(tag) != unsent.head:
            box = self._box(tag, unsent.pairs(), timeout)
        else:  # nobody else has it, so its tag can be put right where it is
            memcpy(PyBytes_AS_STRING(box) + AT_TAG, PyBytes_AS_STRING(tag), PyBytes_GET_SIZE(tag))
        if self.link.state is self.common.open and PyBytes_GET_SIZE(box) <= self.link._max_bytes:
            self.conversation.count += 1
            PyList_Append(self.link._queue, box)
            PyDict_SetItem(self.conversation.asking, tag, reply)
            reply.tag = tag
        else:
            reply.tag = (<object>self.flow).connection.ask_encoded(unsent.pairs() + timeout, reply)
        return self._asked(unsent.size)

    def encode_each(self, commands):
        """Return the Plans and the pairs of commands; or None if anything about one of them is unusual."""
        cdef list plans = [command.__command__.plan for command in commands]
        for plan in plans:
            if type(plan) is not Plan:
                return None
        return plans, [(<Plan>plan).encode(command) for plan, command in zip(plans, commands)]

    def ask_each(self, list plans, BatchFields batch, list all_pairs, bytes timeout):
        """Queue asks of a batch, and return how many: the next one takes more than this."""
        cdef Py_ssize_t index, size
        cdef bytes tag
        cdef Place place
        for index in range(PyList_GET_SIZE(plans)):
            pairs = <bytes?>all_pairs[index]
            size = PyBytes_GET_SIZE(pairs) + 20
            if self.link.state is not self.common.open or self.flow.is_full:
                return index
            if self.credit.taken + size > self.credit.free_below:
                return index
            tag = hexadecimal(self.conversation.count + 1)
            box = self._box(tag, pairs, timeout)
            if PyBytes_GET_SIZE(box) > self.link._max_bytes:
                return index
            place = Place.__new__(Place)
            place.plan = plans[index]
            place.credit = self.credit
            place.size = size
            place.batch = batch
            place.index = index
            self.credit.taken += size
            self.conversation.count += 1
            PyList_Append(self.link._queue, box)
            PyDict_SetItem(self.conversation.asking, tag, place)
            batch.tags.append(tag)
            self._asked(size)
        return PyList_GET_SIZE(plans)

    cdef bytes _box(self, bytes tag, bytes pairs, bytes timeout):
        cdef Buffer buffer
        begin(&buffer)
        try:
            put(&buffer, "\0\4_ask", 6)
            put_length(&buffer, PyBytes_GET_SIZE(tag))
            put_bytes(tag, &buffer)
            put_bytes(pairs, &buffer)
            put_bytes(timeout, &buffer)
            put_length(&buffer, 0)
            return finished(&buffer)
        finally:
            release(&buffer)

    cdef bint _is_responding(self) except -1:
        """Whether this is done on behalf of a responder, whose own time it takes."""
        cdef PyObject* turn = NULL
        PyContextVar_Get(self.common.turn, NULL, &turn)
        if turn == NULL:
            return False
        is_none = <object>turn is None
        drop(turn)
        return not is_none

    cdef bint _is_as_before(self, Py_ssize_t number) noexcept:
        """Whether encoding the command, which may run the program's own code, has left all as it was."""
        return self.link.state is self.common.open and self.conversation.count + 1 == number

    cdef int _asked(self, Py_ssize_t size) except -1:
        self.flow.queued(size)
        if not self.flow.is_reading:
            (<object>self.flow).pull_soon()
        return 0


cdef bytes hexadecimal(Py_ssize_t number):
    cdef char digits[20]
    cdef int at = 20
    while True:
        at -= 1
        digits[at] = b"0123456789abcdef"[number & 15]
        number >>= 4
        if number == 0:
            return PyBytes_FromStringAndSize(digits + at, 20 - at)
