"""Why a text cannot be rendered, in words for the person who wrote it."""


class RenderingRefusedError(ValueError):
    """Rendering the text would take, or make, far more than its length allows.

    The message is a sentence that its author can act on.
    """
