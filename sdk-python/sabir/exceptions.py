"""All errors of Sabir.

SabirError
 +-- TaskError                    user code raised; also an instance of what it raised
 +-- TaskCancelledError
 +-- WorkerCrashedError           the process that ran the task died, its retries are used up
 +-- ActorError
 |    +-- ActorDiedError          the actor is gone for good
 |    +-- ActorUnavailableError   the actor restarts; this call was not retried
 +-- TaskUnschedulableError       it may run on one node only, which is gone or can never run it
 +-- TaskPlacementGroupRemoved    its placement group was removed, or ended with its job
 +-- GetTimeoutError              (TimeoutError)
 +-- ObjectStoreFullError
 +-- ObjectLostError              the value is gone and cannot be made again
 +-- OutOfMemoryError             a limit of the machine or of the session was reached
 +-- SerializationError           (TypeError) a value that cannot be sent, and where in it
 +-- InvalidArgumentError         (ValueError)
 |    +-- NotSupportedError       (NotImplementedError) an option that this version does not have
 +-- NameTakenError               (ValueError) an actor's name
 +-- NotInitializedError          (RuntimeError) no init(), or after shutdown()
 +-- ForkedError                  (RuntimeError) used in a fork of the process that called init()
 +-- NodeDiedError                (ConnectionError) the node of this process is gone
 +-- IncompatibleVersionError     the session runs another version of Sabir
 +-- SabirSystemError             the operating system refused, or a defect of Sabir
"""

from __future__ import annotations

import types
from typing import Any


class SabirError(Exception):
    """Base of every error that Sabir raises."""


class TaskError(SabirError):
    """User code of a task or actor method raised.

    What ``get`` raises is an instance of this class and of the type that was raised, with the remote traceback in its
    message and the original exception as ``cause``. If it was raised in another language there is no original:
    ``language``, ``type_name`` and ``traceback_str`` say what it was, and ``__cause__`` what caused it.
    """

    message: str
    function_name: str
    traceback_str: str
    cause: BaseException | None
    type_name: str
    language: str

    def __init__(
        self,
        message: str = "",
        *,
        function_name: str = "",
        traceback_str: str = "",
        cause: BaseException | None = None,
        type_name: str = "",
        language: str = "",
    ) -> None:
        Exception.__init__(self, message)  # not that of a type beside ours, which may want other arguments
        # Into __dict__: a type beside ours may have fields of these names that cannot be set.
        self.__dict__.update(
            message=message,
            function_name=function_name,
            traceback_str=traceback_str,
            cause=cause,
            type_name=type_name,
            language=language,
        )

    def __str__(self) -> str:
        message, stack = self.__dict__["message"], self.__dict__["traceback_str"]
        return f"{message}\n\nRemote traceback:\n{stack.rstrip()}" if stack else str(message)

    def as_instanceof_cause(self) -> TaskError:
        """This error as an instance of the original exception's type too, where that type allows it."""
        cause = self.__dict__["cause"]
        if cause is None or isinstance(self, type(cause)) or not isinstance(cause, Exception):
            return self
        try:
            return _with_cause_type(self, cause)
        except Exception:  # a type that cannot be a base beside ours: its own layout, final, its own __new__
            return self

    def _fields(self) -> dict[str, Any]:
        return {
            name: self.__dict__[name] for name in ("function_name", "traceback_str", "cause", "type_name", "language")
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_task_error, (self.__dict__["message"], self._fields())


_dual_types: dict[type[BaseException], type[TaskError]] = {}


def _with_cause_type(error: TaskError, cause: Exception) -> TaskError:
    cause_type = type(cause)
    dual = _dual_types.get(cause_type)
    if dual is None:
        namespace = {
            "__module__": cause_type.__module__,
            "__qualname__": cause_type.__qualname__,
            "__init__": TaskError.__init__,
            "__str__": TaskError.__str__,
            "__reduce__": TaskError.__reduce__,
            "__getattr__": _attribute_of_cause,
        }
        dual = type(cause_type.__name__, (TaskError, cause_type), namespace)
        _dual_types[cause_type] = dual
    made = dual.__new__(dual, *cause.args)
    _copy_slots(made, cause)
    TaskError.__init__(made, error.__dict__["message"], **error._fields())
    made.args = cause.args
    return made


def _copy_slots(made: TaskError, cause: Exception) -> None:
    """Fields that a type keeps outside of ``__dict__`` (``OSError.errno``, ``__slots__``)."""
    for base in type(cause).__mro__:
        if base is Exception:
            return
        for name, field in vars(base).items():
            if isinstance(field, (types.MemberDescriptorType, types.GetSetDescriptorType)) and name[:2] != "__":
                try:
                    setattr(made, name, getattr(cause, name))
                except (AttributeError, TypeError):  # never set, or set for good by __new__
                    continue


def _attribute_of_cause(self: TaskError, name: str) -> Any:
    """Attributes that the original exception has of its own (errno, code, ...)."""
    if name.startswith("__") or name == "cause":
        raise AttributeError(name)
    return getattr(self.__dict__["cause"], name)


def _rebuild_task_error(message: str, fields: dict[str, Any]) -> TaskError:
    return TaskError(message, **fields).as_instanceof_cause()


class TaskCancelledError(SabirError):
    """The call was cancelled."""


class WorkerCrashedError(SabirError):
    """The process that ran the task died (a signal, ``os._exit``), and its retries are used up."""


class ActorError(SabirError):
    """An actor could not take a call."""


class ActorDiedError(ActorError):
    """The actor is gone for good: killed, its constructor failed, or it crashed with no restart left."""


class ActorUnavailableError(ActorError):
    """The actor restarts; this call was not retried and may have run."""


class TaskUnschedulableError(SabirError):
    """It may run on one node only, and that node is gone, or can never run it. The message says which and why."""


class TaskPlacementGroupRemoved(SabirError):
    """The placement group that it was to run in, or ran in, was removed, or ended with the job that made it."""


class GetTimeoutError(SabirError, TimeoutError):
    """``get`` was given a timeout, and the value was not there in time."""


class ObjectStoreFullError(SabirError):
    """No room for another object. The message says what fills the store."""


class ObjectLostError(SabirError):
    """The object's value is gone and cannot be made again."""


class OutOfMemoryError(SabirError):
    """A limit of the machine or of the session was reached."""


class SerializationError(SabirError, TypeError):
    """A value cannot be sent to another process. The message names the place in the value."""


class InvalidArgumentError(SabirError, ValueError):
    """An argument that no state of the session could make valid."""


class NotSupportedError(InvalidArgumentError, NotImplementedError):
    """An option that is known, but not in this version of Sabir."""


class NameTakenError(SabirError, ValueError):
    """An actor of that name exists."""


class NotFoundError(SabirError, LookupError):
    """No actor, function or key of that name exists."""


class NotInitializedError(SabirError, RuntimeError):
    """Sabir is not running in this process: ``init()`` was not called, or ``shutdown()`` was."""


class ForkedError(SabirError, RuntimeError):
    """This process is a fork of the one that called ``init()``: call ``init()`` here for a session of its own."""


class NodeDiedError(SabirError, ConnectionError):
    """The node that this process belonged to is gone."""


class IncompatibleVersionError(SabirError):
    """The session runs a version of Sabir that this one cannot join."""


class SabirSystemError(SabirError):
    """The operating system refused something, or Sabir has a defect."""


# sabir_status (sabir.h) to class; -1 is the binding's own "no client".
BY_STATUS: dict[int, type[SabirError]] = {
    -1: NotInitializedError,
    1: InvalidArgumentError,
    2: NotFoundError,
    3: NameTakenError,
    4: GetTimeoutError,
    5: SabirSystemError,
    6: NotInitializedError,
    7: ForkedError,
    8: NodeDiedError,
    9: IncompatibleVersionError,
    10: ObjectStoreFullError,
    11: OutOfMemoryError,
    12: TaskError,
    13: WorkerCrashedError,
    14: ActorDiedError,
    15: ActorUnavailableError,
    16: ObjectLostError,
    17: TaskCancelledError,
    18: SabirSystemError,
    19: SabirSystemError,
    20: TaskUnschedulableError,
    21: TaskPlacementGroupRemoved,
}
