"""Commands that are imported when they are called, and not to be listed."""

from importlib import import_module
from typing import Any

import click

from webapp.kit.loading import undisturbed


class LateCommand(click.Command):
    """A command or a group that stands in the help of its parent without being loaded.

    `place` says where the real one is, as `package.module:name`, and `preparation` where a function
    is that is called before it with the context of the parent, if any.
    """

    def __init__(self, name: str, place: str, short_help: str, preparation: str = "") -> None:
        """Keep the places; nothing is imported yet."""
        super().__init__(name, short_help=short_help)
        self.place, self.preparation = place, preparation

    def load(self) -> click.Command:
        """Import the real command."""
        command: click.Command = _load(self.place)
        return command

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: object,
    ) -> click.Context:
        """Prepare, and begin the real command in the place of this one."""
        if self.preparation and parent is not None:
            _load(self.preparation)(parent)
        return self.load().make_context(info_name, args, parent, **extra)


def _load(place: str) -> Any:  # noqa: ANN401
    """Import what stands in a place."""
    module, _, name = place.partition(":")
    with undisturbed():
        return getattr(import_module(module), name)
