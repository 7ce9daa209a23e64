"""How an operation is executed: as GraphQL does, and with nothing left of it once it is answered."""

from __future__ import annotations

from typing import Any

from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext


class Execution(StrawberryGraphQLCoreExecutionContext):
    """Opens the ring that it makes with its helpers for asynchronous fields, of which there are none.

    Closed, it would keep the request, what was read for it and the models that answered until the next full garbage
    collection: minutes in which a version that serves no more stays mapped, and a pause for whoever asks then.
    """

    def execute_operation(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().execute_operation(*args, **kwargs)
        finally:
            self.__dict__.pop("async_helpers", None)
