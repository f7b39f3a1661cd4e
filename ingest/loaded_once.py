"""An attribute made when it is first asked for: once, whichever of several threads asks first.

`functools.cached_property` promises that no longer from Python 3.12 on.
"""

from collections.abc import Callable
from threading import RLock
from typing import Any, Generic, TypeVar

Made = TypeVar("Made")


class loaded_once(Generic[Made]):
    """Make a method without arguments an attribute that keeps what it returned; an exception is not kept."""

    def __init__(self, make: Callable[[Any], Made]) -> None:
        self._make = make
        self._making = RLock()
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Made:
        kept = instance.__dict__
        with self._making:
            if self._name not in kept:
                kept[self._name] = self._make(instance)
            made: Made = kept[self._name]
            return made
