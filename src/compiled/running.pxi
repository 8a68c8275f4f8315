# Responders that are coroutines: what `ampkit.asyncio.answering` does with them, where it is asked by an Intake.

cdef bint EAGER = sys.version_info >= (3, 12)
cdef dict TASK_OPTIONS = {"eager_start": True} if EAGER else {}


cdef class Turn:
    """The twin of `ampkit.asyncio.ambient.Turn`."""

    cdef public object connection
    cdef public object due
    cdef public Py_ssize_t calls
    cdef public object credit

    def __init__(self, connection, due):
        self.connection = connection
        self.due = due
        self.calls = 0


cdef class Begun:
    """Suspends a coroutine once, for whoever sends it the first None."""

    cdef bint is_begun

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        if self.is_begun:
            raise StopIteration
        self.is_begun = True


cdef int start_responding(Intake intake, Route route, object tag, object awaitable) except -1:
    cdef AnsweringFields answers = intake.answers
    key = tag if tag is not None and tag not in answers._tasks else answers.asked
    turn = Turn((<object>intake.flow).connection, None)
    if answers._tasks is intake.common.empty:
        answers._tasks = {}
    if answers._turns is intake.common.empty:
        answers._turns = {}
    answers._turns[key] = turn
    run = respond_later(intake, route, key, tag, awaitable, turn)
    if not EAGER:
        run.send(None)
    task = asyncio.Task(run, loop=(<object>intake.flow).loop, **TASK_OPTIONS)
    if not task.done():
        answers._tasks[key] = task
    return 0


async def respond_later(Intake intake, Route route, key, tag, awaitable, turn):
    cdef AnsweringFields answers = intake.answers
    try:
        if not EAGER:
            await Begun()
        intake.common.turn.set(turn)
        result = await awaitable
        if intake.flow.is_full or not intake.answer(route, tag, result):
            await (<object>answers).answer_late(tag, route.schema, result)
    except asyncio.CancelledError:
        (<object>answers).cancelled(key, tag, route.schema, awaitable)
    except Exception as error:
        (<object>answers).fail(tag, route.schema, error)
    finally:
        (<Turn>turn).connection = None
        answers._tasks.pop(key, None)
        answers._turns.pop(key, None)
        if answers._stopped:
            answers._stopped.pop(key, None)
        if (answers._made_line is not None and answers._made_line.size) or not intake.flow.is_reading:
            (<object>intake.flow).pull_soon()
