"""Commands that are imported when they are called, and not to be listed."""

import gc
from importlib import import_module

import click


class LateCommand(click.Command):
    """A command or a group that stands in the help of its parent without being loaded.

    `place` says where the real one is, as `package.module:name`.
    """

    def __init__(self, name: str, place: str, short_help: str) -> None:
        """Keep the place; nothing is imported yet."""
        super().__init__(name, short_help=short_help)
        self.place = place

    def load(self) -> click.Command:
        """Import the real command.

        Nothing that is made while modules load is garbage, and looking for some in it would take a
        fifth of the time until the command answers.
        """
        module, _, name = self.place.partition(":")
        gc.disable()
        try:
            command: click.Command = getattr(import_module(module), name)
        finally:
            gc.freeze()
            gc.enable()
        return command

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: object,
    ) -> click.Context:
        """Begin the real command in the place of this one."""
        return self.load().make_context(info_name, args, parent, **extra)
