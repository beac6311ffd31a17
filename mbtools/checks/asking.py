"""What the checkers of all chapters share: how to ask, and what about."""

import functools
import html
import math
import random
from numbers import Real

from IPython.display import HTML, display


def predict(question, options, answer):
    """Display a question whose options open to say whether they are right.

    options: {text: (value, reply)}. The right one has the value within 2 % of
        ``answer`` (or equal to it), which the caller computes; its reply says
        why, the others' what is wrong with them.

    Raises ValueError unless exactly one option is right.
    """

    def is_right(value):
        if isinstance(value, str) or isinstance(answer, str):
            return value == answer
        return math.isclose(value, answer, rel_tol=0.02)

    right = [text for text, (value, _) in options.items() if is_right(value)]
    if len(right) != 1:
        raise ValueError(f"one option must be right, not {len(right)}, for {answer!r}")
    lines = [f"<p><strong>Predict.</strong> {html.escape(question)}</p>"]
    for text, (_, reply) in options.items():
        verdict = "Yes." if text in right else "No."
        lines.append(
            f"<details><summary>{html.escape(text)}</summary>"
            f"<p><strong>{verdict}</strong> {html.escape(reply)}</p></details>"
        )
    display(HTML('<div class="mb-quiz">\n' + "\n".join(lines) + "\n</div>"))


class NotWritten(Exception):
    """The reader's function returned nothing yet."""


def ask(answer, *arguments):
    result = answer(*arguments)
    if result is None or result is ...:
        raise NotWritten
    return result


def ask_number(answer, *arguments):
    result = ask(answer, *arguments)
    assert isinstance(result, Real), f"return a number; got {result!r}"
    return result


def hint_for(got, mistakes, otherwise):
    """What to say of a wrong number: mistakes has the words for each that is known."""
    known = (
        words
        for number, words in mistakes.items()
        if math.isclose(got, number, rel_tol=1e-6)
    )
    return next(known, otherwise)


def exercise(check):
    """Make a checker: talk to the reader, let wrong answers raise."""

    @functools.wraps(check)
    def checker(answer):
        if not callable(answer):
            raise TypeError(
                f"hand over the function itself, without calling it; got {answer!r}"
            )
        name = getattr(answer, "__name__", "your answer")  # a module has none
        try:
            message = check(answer)
        except NotWritten:
            print(f"… {name} returns nothing yet: replace the dots, or add a return")
        else:
            print(f"✓ {name}: {message}")

    return checker


def random_shapes(count=20):
    """Random (kernel, in_channels, out_channels, size), the same each time."""
    rng = random.Random(count)
    for _ in range(count):
        yield (
            rng.choice((3, 5, 7)),
            rng.randrange(2, 100),
            rng.randrange(2, 100),
            rng.randrange(2, 30),
        )


def kinds_of(module):
    """The module's convolutions as "depthwise", "pointwise" or "conv"."""
    import torch

    found = {}
    for part in module.modules():
        if isinstance(part, torch.nn.Conv2d):
            depthwise = 1 < part.groups == part.in_channels
            pointwise = part.kernel_size == (1, 1) and part.groups == 1
            kind = "pointwise" if pointwise else "conv"
            found[part] = "depthwise" if depthwise else kind
    return found
