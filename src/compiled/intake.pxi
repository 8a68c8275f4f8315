# What one read brings, taken in one call: the twin of `ampkit.asyncio.intake`, for asks and answers that are as usual.

cdef extern from "Python.h":
    int PyCoro_CheckExact(object)


cdef class Route:
    """How asks for one command are answered here, if nothing about that is unusual; else `is_usual` is false."""

    cdef object schema
    cdef object function
    cdef bint takes_peer
    cdef bint is_usual
    cdef RecordDecoder decode
    cdef object response
    cdef Encoder encode
    cdef object responder

    def __init__(self, responder, is_usual):
        schema = responder.command
        self.is_usual = is_usual and type(schema.decode) is RecordDecoder
        if not self.is_usual:
            return
        self.responder = responder
        self.schema = schema
        self.function = responder.function
        self.takes_peer = responder.takes_peer
        self.decode = schema.decode
        self.response = schema.response
        self.encode = None if schema.response is None else schema.response.__schema__.encode


cdef class Intake:
    """Takes what a channel has received: asks run, answers reach who waits for them, all else goes to the peer."""

    cdef Common common
    cdef Flow flow
    cdef LinkFields link
    cdef ConversationFields conversation
    cdef AnsweringFields answers
    cdef object peer

    def __init__(self, common, channel, link, conversation, answering, peer):
        self.common = common
        self.flow = channel
        self.link = link
        self.conversation = conversation
        self.answers = answering
        self.peer = peer

    cpdef take(self, Py_ssize_t most):
        """Take at most so many events; return true if there is none left, false if one has to wait."""
        cdef Py_ssize_t taken = 0
        event = self.flow.held
        self.flow.held = None
        while True:
            if taken >= most and self._may_have_more():
                (<object>self.flow).pull_soon()
                return False
            if event is None:
                if self._take_usual():
                    taken += 1
                    continue
                box = self.link.decoder.next_box()
                if box is None:
                    return True
                event = (<object>self.conversation).event(box)
            if not self.peer.event_received(event):
                self.flow.held = event
                return False
            taken += 1
            event = None

    cdef inline bint _may_have_more(self) except -1:
        """Whether a box may lie in what was read."""
        decoder = self.link.decoder
        return (<Decoder>decoder)._has_more() if type(decoder) is Decoder else decoder.may_have_box

    cdef bint _take_usual(self) except -1:
        """Take the next box if it lies whole in what was read, and nothing about it is unusual."""
        cdef Walk walk
        cdef Decoder decoder
        cdef bytes data
        if self.conversation._look_first is not None or type(self.link.decoder) is not Decoder:
            return False
        decoder = <Decoder>self.link.decoder
        if decoder._partial is not None or decoder._wanted:
            return False
        decoder._go_behind()
        data = decoder._data  # kept: what is run on the way may feed the decoder
        start(&walk, PyBytes_AS_STRING(data), decoder._at, PyBytes_GET_SIZE(data))
        if not next_pair(&walk):
            return False
        if is_key(&walk, "_answer", 7):
            return self._take_answer(decoder, data, &walk)
        return self._take_ask(decoder, data, &walk)

    cdef inline bint _may_begin(self, Decoder decoder, RecordDecoder decode, Walk* walk) noexcept:
        """Whether the box may be decoded: if that runs the program's own code, it has to be one, and within the limits."""
        return not decode.runs_code or is_within(walk[0], decoder._max_keys, decoder._max_bytes)

    cdef bint _may_end(self, Decoder decoder, bytes data, Walk* walk) except -1:
        """Go on behind the box, if it was read from where the decoder is, and keeps to the limits."""
        cdef const unsigned char* begin = <const unsigned char*>PyBytes_AS_STRING(data)
        if decoder._data is not data or begin + decoder._at != walk.begin or self.link.decoder is not decoder:
            return False
        if walk.keys > decoder._max_keys:
            return False
        if walk.at - walk.begin > decoder._max_bytes:
            return False
        decoder._at = walk.at - begin
        return True

    cdef bint _take_answer(self, Decoder decoder, bytes data, Walk* walk) except -1:
        cdef bytes tag = PyBytes_FromStringAndSize(<const char*>walk.value, walk.value_size)
        cdef PyObject* waiting = PyDict_GetItemWithError(self.conversation.pending, tag)
        cdef Waiter waiter
        if waiting == NULL or not isinstance(<object>waiting, Waiter):
            return False
        waiter = <Waiter>waiting
        if waiter.plan.decode is None:
            response = self.common.nothing
            if not next_pair(walk) or walk.key_size:
                return False
        else:
            if not self._may_begin(decoder, waiter.plan.decode, walk):
                return False
            response = waiter.plan.decode.from_bytes(walk)
            if type(response) is not waiter.plan.decode.record:  # which its own `__new__` may have decided
                return False
        if PyDict_GetItemWithError(self.conversation.pending, tag) != <PyObject*>waiter:  # abandoned meanwhile
            return False
        if not self._may_end(decoder, data, walk):
            return False
        PyDict_DelItem(self.conversation.pending, tag)
        waiter.settle(response)
        return True

    cdef bint _take_ask(self, Decoder decoder, bytes data, Walk* walk) except -1:
        cdef const unsigned char* tag = NULL
        cdef Py_ssize_t tag_size = 0
        cdef Route route
        if is_key(walk, "_ask", 4):
            tag, tag_size = walk.value, walk.value_size
            if not next_pair(walk):
                return False
        if not is_key(walk, "_command", 8) or not self._has_room():
            return False
        route = self._route(key_of(walk.value, walk.value_size))
        if route is None or not route.is_usual:
            return False
        if not self._may_begin(decoder, route.decode, walk):
            return False
        command = route.decode.from_bytes(walk)
        if command is None or not is_timeout(walk) or not self._has_room() or not self._may_end(decoder, data, walk):
            return False
        self.answers.asked += 1
        if walk.timeout == NULL and not self.answers._is_nested:
            self._respond(route, tag, tag_size, command)
        else:
            seconds = None if walk.timeout == NULL else seconds_of(walk)
            (<object>self.answers).respond_in_time(bytes_or_none(tag, tag_size), route.responder, command, self.peer, seconds)
        return True

    cdef inline bint _has_room(self):
        """Whether an ask may run at once."""
        if self.link.state is not self.common.open or self.flow.is_full:
            return False
        if self.answers._made_line is not None and self.answers._made_line.size:
            return False
        return len(self.answers._tasks) < self.answers._max_running

    cdef Route _route(self, bytes name):
        cdef object routes = self.answers.responders.routes
        cdef PyObject* known
        if routes is None:
            return None
        known = PyDict_GetItemWithError(routes, name)
        return (<object>self.answers).add_route(name) if known == NULL else <Route>known

    cdef int _respond(self, Route route, const unsigned char* tag, Py_ssize_t tag_size, object command) except -1:
        try:
            if route.takes_peer:
                result = route.function(command, peer=self.peer)
            else:
                result = route.function(command)
        except BaseException as error:
            (<object>self.answers).raised(bytes_or_none(tag, tag_size), route.schema, error)
            return 0
        if PyCoro_CheckExact(result):
            start_responding(self, route, bytes_or_none(tag, tag_size), result)
        elif not self._answer(route, tag, tag_size, result):
            (<object>self.answers).finish(bytes_or_none(tag, tag_size), route.schema, result, None)
        return 0

    cdef bint answer(self, Route route, object tag, object result) except -1:
        if tag is None:
            return self._answer(route, NULL, 0, result)
        return self._answer(route, <const unsigned char*>PyBytes_AS_STRING(tag), PyBytes_GET_SIZE(tag), result)

    cdef bint _answer(self, Route route, const unsigned char* tag, Py_ssize_t tag_size, object result) except -1:
        """Answer; or return false, and leave it to others, if anything about the result is unusual."""
        cdef Buffer buffer
        cdef int at = 0
        cdef Py_ssize_t head
        if type(result) is not route.response and (route.response is not None or result is not None):
            return False
        begin(&buffer)
        try:
            if tag != NULL:
                put(&buffer, "\0\7_answer", 9)
                put_length(&buffer, tag_size)
                put(&buffer, <const char*>tag, tag_size)
            head = buffer.size
            if route.encode is not None:
                try:
                    route.encode.put(result, None, &buffer, &at)
                except Exception:
                    return False
            if tag == NULL:
                return True
            put_length(&buffer, 0)
            if self.link.state is not self.common.open or buffer.size > self.link._max_bytes:
                return False
            PyList_Append(self.link._queue, finished(&buffer))
            self.flow.queued(buffer.size - head - 2)
        finally:
            release(&buffer)
        return True


cdef inline bint is_timeout(Walk* walk) noexcept:
    """Say whether `_timeout` is not there, or is milliseconds, as it has to be."""
    cdef Py_ssize_t i
    if walk.timeout == NULL:
        return True
    for i in range(walk.timeout_size):
        if not 48 <= walk.timeout[i] <= 57:
            return False
    return 0 < walk.timeout_size <= 12


cdef inline double seconds_of(Walk* walk) noexcept:
    cdef Py_ssize_t i
    cdef long long milliseconds = 0
    for i in range(walk.timeout_size):
        milliseconds = milliseconds * 10 + walk.timeout[i] - 48
    return milliseconds / 1000.0


cdef inline object bytes_or_none(const unsigned char* data, Py_ssize_t size):
    return None if data == NULL else PyBytes_FromStringAndSize(<const char*>data, size)
