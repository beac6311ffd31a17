"""What a net says about pictures, to look through."""

import base64
import io
import math
from html import escape

import numpy as np
import traitlets
from PIL import Image, ImageOps

from .base import Explorer, compact, html_table, script, style

ALL, UNLABELLED = "all", "unlabelled"
RIGHT, WRONG = "right", "wrong"
ORDERS = ("least sure first", "surest first")
PERCENT = 100  # probabilities are kept in hundredths of a percent


class PredictionBrowser(Explorer):
    """Pictures with what a net says about them, narrowed down by filters.

    pictures: N PIL pictures; probabilities: (N, C), a softmax; classes: C names;
    labels: N indices of classes, -1 or None where unknown, or None for all.
    A picture's confidence is its largest probability.
    thumb: pixels, the side to which pictures are cut and shrunk; quality: of
    their WebP, 0 to 100. 120 photographs take 240 kB of the page.

    says: what the net says, a class or "all"; truth: a class, "all" or
    "unlabelled"; verdict: "all", "right" or "wrong", which unlabelled pictures
    are neither; confidence: the least and the most, in whole percent; order:
    "least sure first" or "surest first"; index: of the picture looked at, None
    for the first. A filter that hides it takes you to the first that is left.

    Raises ValueError if pictures, probabilities, classes and labels do not fit
    together, and ``traitlets.TraitError`` for a choice that there is not.
    """

    _esm = script("prediction_browser")
    _css = style("prediction_browser")
    says = traitlets.Unicode(ALL).tag(sync=True)
    truth = traitlets.Unicode(ALL).tag(sync=True)
    verdict = traitlets.Unicode(ALL).tag(sync=True)
    confidence = traitlets.Tuple((0, 100)).tag(sync=True)
    order = traitlets.Enum(ORDERS, ORDERS[0]).tag(sync=True)
    index = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        pictures,
        probabilities,
        classes,
        labels=None,
        thumb=96,
        quality=50,
        says=ALL,
        truth=ALL,
        verdict=ALL,
        confidence=(0, 100),
        order=ORDERS[0],
        index=None,
    ):
        self.classes = _checked_classes(classes)
        probabilities = _checked_probabilities(probabilities, self.classes)
        count = len(probabilities)
        self._thumbs = _thumbs(pictures, count, thumb)
        self.labels = _checked_labels(labels, count, self.classes)
        self._quality = quality

        self.said = probabilities.argmax(1)
        # whole numbers, so that the script draws the line where Python does
        self._probabilities = np.rint(100 * PERCENT * probabilities).astype(int)
        self._confidences = self._probabilities.max(1)
        self._ascending = probabilities.max(1).argsort(kind="stable")
        columns = math.ceil(math.sqrt(count))
        table = {
            "classes": self.classes,
            "said": self.said.tolist(),
            "labels": self.labels.tolist(),
            "probabilities": self._probabilities.tolist(),
            "ascending": self._ascending.tolist(),
            "columns": columns,
            "sheet": self._sheet(range(count), columns),
        }
        super().__init__(
            _table=compact(table),
            says=says,
            truth=truth,
            verdict=verdict,
            confidence=confidence,
            order=order,
            index=index or 0,
        )
        if index is None:
            self.index = next(iter(self.shown), 0)

    @property
    def shown(self):
        """The indices of the pictures that the filters leave, in their order."""
        # prediction_browser.js has the same rule
        least, most = self.confidence
        return tuple(
            int(i)
            for i in self._ascending[:: 1 if self.order == ORDERS[0] else -1]
            if self.says in (ALL, self.classes[self.said[i]])
            and self.truth in (ALL, self._truth(i))
            and self.verdict in (ALL, self._verdict(i))
            and PERCENT * least <= self._confidences[i] <= PERCENT * most
        )

    def _truth(self, i):
        return UNLABELLED if self.labels[i] < 0 else self.classes[self.labels[i]]

    def _verdict(self, i):
        if self.labels[i] < 0:
            return UNLABELLED
        return RIGHT if self.said[i] == self.labels[i] else WRONG

    @traitlets.validate("says", "truth", "verdict")
    def _check_choice(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        known = self.labels >= 0
        allowed = {
            "says": self.classes,
            "truth": (
                *(self.classes if known.any() else ()),
                *(() if known.all() else (UNLABELLED,)),
            ),
            "verdict": (RIGHT, WRONG) if known.any() else (),
        }[name]
        if value not in (ALL, *allowed):
            raise traitlets.TraitError(
                f"{name} must be one of {', '.join((ALL, *allowed))}; got {value!r}"
            )
        return value

    @traitlets.validate("confidence")
    def _check_confidence(self, proposal):
        value = proposal["value"]
        if (
            len(value) != 2
            or not all(isinstance(x, int) for x in value)
            or not 0 <= value[0] <= value[1] <= 100
        ):
            raise traitlets.TraitError(
                "confidence must be the least and the most in whole percent, "
                f"such as (0, 100); got {value}"
            )
        return value

    @traitlets.validate("index")
    def _check_index(self, proposal):
        value, last = proposal["value"], len(self.said) - 1
        if not 0 <= value <= last:
            raise traitlets.TraitError(f"index must be from 0 to {last}; got {value}")
        return value

    @traitlets.observe("says", "truth", "verdict", "confidence")
    def _leave_hidden(self, change):
        shown = self.shown
        if shown and self.index not in shown:
            self.index = shown[0]

    def __repr__(self):
        shown = self.shown
        verdicts = [self._verdict(i) for i in shown]
        counts = (f", {verdicts.count(x)} {x}" for x in (RIGHT, WRONG))
        return f"PredictionBrowser: {len(shown)} of {len(self.said)} pictures" + (
            "".join(counts) if (self.labels >= 0).any() else ""
        )

    def _fallback(self):
        shown = np.array(self.shown, int)
        said = [shown[self.said[shown] == k] for k in range(len(self.classes))]
        rows = []
        for name, indices in zip(self.classes, said, strict=True):
            verdicts = [self._verdict(i) for i in indices]
            mean = _percent(self._confidences[indices].mean()) if verdicts else "–"
            right, wrong = (str(verdicts.count(x)) for x in (RIGHT, WRONG))
            rows.append((name, str(len(indices)), right, wrong, mean))
        table = html_table(
            "prediction-browser",
            f"{len(shown)} of {len(self.said)} pictures, by what the net says",
            ("the net says", "pictures", "right", "wrong", "mean confidence"),
            rows,
        )
        surest = [x[self._confidences[x].argmax()] for x in said if len(x)]
        if not surest:
            return table
        told = "; ".join(self._label(i) for i in surest)
        return (
            f'{table}<figure><img class="dark-light" alt="The pictures of the caption" '
            f'src="data:image/webp;base64,{self._sheet(surest, len(surest))}">'
            f"<figcaption>The surest of each: {escape(told)}</figcaption></figure>"
        )

    def _label(self, i):
        """A picture in words: what the net says, how sure, and the truth."""
        said = f"{self.classes[self.said[i]]} {_percent(self._confidences[i])}"
        truth = self._truth(i)
        return f"{said}, {truth if truth == UNLABELLED else f'truly {truth}'}"

    def _sheet(self, indices, columns):
        """Thumbnails in rows as one WebP, lighter than many; in base64."""
        side = self._thumbs[0].width
        rows = math.ceil(len(indices) / columns)
        sheet = Image.new("RGB", (columns * side, rows * side))
        for place, i in enumerate(indices):
            row, column = divmod(place, columns)
            sheet.paste(self._thumbs[i], (column * side, row * side))
        file = io.BytesIO()
        sheet.save(file, "WEBP", quality=self._quality, method=6)
        return base64.b64encode(file.getvalue()).decode()


def _percent(hundredths):
    return f"{hundredths / PERCENT:.2f} %"


def _checked_classes(classes):
    classes = tuple(classes)
    taken = sorted({ALL, UNLABELLED} & set(classes))
    if len(set(classes)) < len(classes) or taken:
        raise ValueError(
            f"classes must be different names, none of them {ALL!r} or "
            f"{UNLABELLED!r}; got {', '.join(classes)}"
        )
    return classes


def _checked_probabilities(probabilities, classes):
    probabilities = np.asarray(probabilities, float)
    if probabilities.ndim != 2 or probabilities.shape[1] != len(classes):
        raise ValueError(
            f"probabilities must be (pictures, {len(classes)}), a column a class; "
            f"got {probabilities.shape}"
        )
    sums = probabilities.sum(1)
    fits = (probabilities >= 0).all(1) & np.isclose(sums, 1, atol=1e-3)
    if not fits.all():
        row = fits.argmin()
        raise ValueError(
            "rows of probabilities must be 0 or more and sum to 1, as softmax makes "
            f"them; row {row} has {probabilities[row].round(4).tolist()}"
        )
    return probabilities


def _checked_labels(labels, count, classes):
    given = [None] * count if labels is None else labels
    labels = np.array([-1 if x is None else x for x in given])
    if labels.shape != (count,):
        raise ValueError(
            f"labels must be one for each of {count} pictures; got {labels.shape}"
        )
    if labels.dtype.kind not in "iu" or not all(-1 <= x < len(classes) for x in labels):
        raise ValueError(
            f"labels must be whole numbers from 0 to {len(classes) - 1}, or -1 or "
            f"None where unknown; got {sorted(set(labels.tolist()))}"
        )
    return labels


def _thumbs(pictures, count, side):
    pictures = tuple(pictures)
    if len(pictures) != count or not count:
        raise ValueError(
            f"there must be a picture for each row of probabilities, and one at "
            f"least; got {len(pictures)} pictures, {count} rows"
        )
    for i, picture in enumerate(pictures):
        if not isinstance(picture, Image.Image):
            raise ValueError(
                f"pictures must be PIL pictures; number {i} is {type(picture).__name__}"
            )
    return [ImageOps.fit(x.convert("RGB"), (side, side)) for x in pictures]
