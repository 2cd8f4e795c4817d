"""Ray's exceptions: those that Sabir raises are Sabir's own, the others are here to be caught."""

from __future__ import annotations

from sabir.exceptions import (
    ActorDiedError,
    ActorUnavailableError,
    GetTimeoutError,
    NodeDiedError,
    ObjectLostError,
    ObjectStoreFullError,
    OutOfMemoryError,
    TaskCancelledError,
    TaskPlacementGroupRemoved,
    TaskUnschedulableError,
    WorkerCrashedError,
)
from sabir.exceptions import ActorError as RayActorError
from sabir.exceptions import NameTakenError as ActorAlreadyExistsError
from sabir.exceptions import SabirError as RayError
from sabir.exceptions import SabirSystemError as RaySystemError
from sabir.exceptions import TaskError as RayTaskError


class CrossLanguageError(RayError): ...


class ActorUnschedulableError(RayError): ...


class ActorPlacementGroupRemoved(RayError): ...


class AsyncioActorExit(RayError): ...


class AuthenticationError(RayError): ...


class LocalRayletDiedError(RayError): ...


class ObjectFetchTimedOutError(ObjectLostError): ...


class ObjectFreedError(ObjectLostError): ...


class ObjectReconstructionFailedError(ObjectLostError): ...


class ObjectReconstructionFailedLineageEvictedError(ObjectLostError): ...


class ObjectReconstructionFailedMaxAttemptsExceededError(ObjectLostError): ...


class ObjectRefStreamEndOfStreamError(RayError): ...


class OutOfDiskError(RayError): ...


class OwnerDiedError(ObjectLostError): ...


class PendingCallsLimitExceeded(RayError): ...


class PlasmaObjectNotAvailable(RayError): ...


class RayCgraphCapacityExceeded(RaySystemError): ...


class RayChannelError(RaySystemError): ...


class RayChannelTimeoutError(RayChannelError, TimeoutError): ...


class RayDirectTransportError(RaySystemError): ...


class ReferenceCountingAssertionError(ObjectLostError, AssertionError): ...


class RpcError(RayError): ...


class RuntimeEnvSetupError(RayError): ...


class UnserializableException(RayError): ...


class UserCodeException(RayError): ...


RAY_EXCEPTION_TYPES = [
    ActorAlreadyExistsError,
    ActorDiedError,
    ActorUnavailableError,
    GetTimeoutError,
    NodeDiedError,
    ObjectLostError,
    ObjectStoreFullError,
    OutOfDiskError,
    OutOfMemoryError,
    RayActorError,
    RayError,
    RayTaskError,
    TaskCancelledError,
    TaskPlacementGroupRemoved,
    TaskUnschedulableError,
    WorkerCrashedError,
]
