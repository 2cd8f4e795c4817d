"""Values for other languages: what only Python knows is converted, or refused with its place in the value."""

from __future__ import annotations

import sys
from typing import Any, Callable, TypeVar

from sabir import _sabir
from sabir._tables import is_exporter
from sabir.exceptions import SerializationError

T = TypeVar("T")

_DEPTH_MAX = 64
_converters: dict[type, Callable[[Any], Any]] = {}


def register_converter(cls: type[T], to_neutral: Callable[[T], Any]) -> None:
    """Says how values of a class (and of its subclasses) are sent to other languages.

    ``to_neutral(value)`` returns what takes its place: None, numbers, text, bytes, lists, dicts, datetimes, numpy
    arrays, references, handles, or values whose classes have converters. In Python the values keep their class. A
    worker knows a converter if the module that registers it has been imported there.
    """
    if not isinstance(cls, type):
        raise TypeError(f"register_converter() wants a class, not {cls!r}")
    if not callable(to_neutral):
        raise TypeError(f"register_converter({cls.__qualname__}, ...) wants a function, not {to_neutral!r}")
    _converters[cls] = to_neutral


def neutral(value: Any, place: str) -> Any:
    """``value`` made of what every language has; SerializationError that names the place and the type of what is not.

    Containers are new ones, so that none lies in two places.
    """
    return _convert(value, place, [])


def _convert(value: Any, place: str, within: list[int]) -> Any:
    kind = type(value)
    if value is None or kind in (bool, int, float, bytes):
        return value
    for base in kind.__mro__ if _converters else ():
        if base in _converters:
            return _convert(_converted(base, value, place), place, _inside(value, place, within))
    if isinstance(value, str):
        return _text(value, place)
    if isinstance(value, (list, tuple)):
        inside = _inside(value, place, within)
        items = [_convert(item, f"{place}[{i}]", inside) for i, item in enumerate(value)]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, dict):
        inside = _inside(value, place, within)
        return {
            _convert(key, f"a key of {place}", inside): _convert(item, f"{place}[{key!r}]", inside)
            for key, item in value.items()
        }
    return _single(value, place, within)


def _single(value: Any, place: str, within: list[int]) -> Any:
    from sabir._actor import ActorHandle

    if isinstance(value, (_sabir.ObjectRef, ActorHandle)):
        return value
    for base in (int, float, bytes):
        if isinstance(value, base):  # an IntEnum, numpy.float64
            return base(value)
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    datetime = sys.modules.get("datetime")
    if datetime is not None and isinstance(value, datetime.datetime):
        return _moment(datetime, value, place)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        return _number(value, place)
    if numpy is not None and isinstance(value, numpy.ndarray):
        return _array(numpy, value, place)
    if isinstance(value, _sabir.Table) or is_exporter(value):
        return _table(value, place, within)
    raise _refusal(value, place, "only Python has such values")


def _table(value: Any, place: str, within: list[int]) -> _sabir.Table:
    if within:
        raise _refusal(value, place, "a table can only be a whole argument, result or object")
    try:
        return _sabir._to_table(value)
    except Exception as error:
        raise _refusal(value, place, f"it was to be sent as an Arrow table, but: {error}") from error


def _inside(value: Any, place: str, within: list[int]) -> list[int]:
    if id(value) in within:
        raise _refusal(value, place, "it contains itself")
    if len(within) >= _DEPTH_MAX:
        raise _refusal(value, place, f"it lies in more than {_DEPTH_MAX} containers")
    return [*within, id(value)]


def _converted(base: type, value: Any, place: str) -> Any:
    try:
        return _converters[base](value)
    except Exception as error:
        raise _refusal(value, place, f"its converter raised {type(error).__name__}: {error}") from error


def _text(value: str, place: str) -> str:
    text = value if type(value) is str else str.__str__(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _refusal(value, place, "it has half of a surrogate pair, which is not Unicode text") from None
    return text


def _moment(datetime: Any, value: Any, place: str) -> Any:
    offset = value.utcoffset()
    if offset is None:
        raise _refusal(value, place, "it has no time zone: give it one, such as datetime.timezone.utc")
    if not 1678 <= value.year <= 2261:
        raise _refusal(value, place, "it is not between the years 1678 and 2261")
    plain = datetime.datetime(
        value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond
    )
    return plain.replace(tzinfo=datetime.timezone(offset))


def _number(value: Any, place: str) -> Any:
    number = value.item()
    if isinstance(number, (bool, int, float, str, bytes)):
        return number
    raise _refusal(value, place, "only numpy has such numbers")


def _array(numpy: Any, value: Any, place: str) -> Any:
    array = numpy.asarray(value)
    if array.dtype.kind in "biufc" and array.dtype.itemsize <= (16 if array.dtype.kind == "c" else 8):
        return array.astype(array.dtype.newbyteorder("="))
    raise _refusal(value, place, f"an array of {array.dtype} has no numbers that other languages know")


def _refusal(value: Any, place: str, reason: str) -> SerializationError:
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    return SerializationError(
        f"cannot send {place} ({kind}) to another language: {reason}. Send numbers, text, lists, dicts or arrays "
        f"instead, or say how by sabir.register_converter({type(value).__qualname__}, ...)"
    )
