"""Accuracy against size: a family of nets, from measured runs."""

from statistics import mean, stdev

import traitlets

from .base import Explorer, compact, html_table, script, style


class SizeExplorer(Explorer):
    """What each net of a family costs and how often it is right.

    results: (data, pictures, net, accuracies) of each measured setting: the
    name of the data, the number of pictures trained on, a ``nets.Net`` and the
    test accuracies in percent, one a seed, at least two. The picture tells two
    kinds of nets apart, and names sizes from 10,000 to 1,000,000 parameters.

    data, pictures: one of those measured, at first the first data and its most
    pictures; net: a net's name and its alpha, as in "PDModel 0.5", at first the
    largest.

    Raises ValueError if a setting is missing, doubled or has one seed only, or
    there are more than two kinds of nets or no results, and
    ``traitlets.TraitError`` for a choice that there is not.
    """

    _esm = script("size_explorer")
    _css = style("size_explorer")
    data = traitlets.Unicode().tag(sync=True)
    pictures = traitlets.Int().tag(sync=True)
    net = traitlets.Unicode().tag(sync=True)

    def __init__(self, results, data=None, pictures=None, net=None):
        self._measured = {}
        for name, count, built, accuracies in results:
            key = name, int(count), f"{built.name} {built.alpha:g}"
            values = [float(x) for x in accuracies]
            if key in self._measured or len(values) < 2:
                raise ValueError(
                    f"each setting must be there once, with two seeds or more; "
                    f"got {key} with {len(values)}"
                )
            self._measured[key] = built, values
        kinds = {built.name for built, _ in self._measured.values()}
        if not 1 <= len(kinds) <= 2:
            raise ValueError(
                f"results must be of one or two kinds of nets; got {kinds}"
            )
        sizes = {key[2]: built.params for key, (built, _) in self._measured.items()}
        counts = tuple(sorted({key[1] for key in self._measured}))
        self._choices = {
            "data": tuple(dict.fromkeys(key[0] for key in self._measured)),
            "pictures": counts,
            "net": tuple(sorted(sizes, key=sizes.get)),
        }
        table = [
            [[self._entry(x, y, z) for z in self._choices["net"]] for y in counts]
            for x in self._choices["data"]
        ]
        super().__init__(
            _table=compact(self._choices | {"table": table}),
            data=data or self._choices["data"][0],
            pictures=pictures or counts[-1],
            net=net or self._choices["net"][-1],
        )

    @property
    def current(self):
        """The net you are at, a ``nets.Net``."""
        return self._measured[self.data, self.pictures, self.net][0]

    @property
    def accuracies(self):
        """Its test accuracies in percent, one a seed."""
        return tuple(self._measured[self.data, self.pictures, self.net][1])

    def _entry(self, *key):
        if key not in self._measured:
            raise ValueError(f"no result of {key}: each net must meet each data")
        net, values = self._measured[key]
        middle, spread = round(mean(values), 4), round(stdev(values), 4)
        return [net.params, net.macs, middle, spread, len(values)]

    @traitlets.validate("data", "pictures", "net")
    def _check_choice(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        if value not in self._choices[name]:
            raise traitlets.TraitError(
                f"{name} must be one of {', '.join(map(str, self._choices[name]))}; "
                f"got {value!r}"
            )
        return value

    def __repr__(self):
        params, macs, middle, spread, seeds = self._entry(
            self.data, self.pictures, self.net
        )
        return (
            f"SizeExplorer(data={self.data!r}, pictures={self.pictures}, "
            f"net={self.net!r}): {params:,} parameters, {macs:,} multiply-adds, "
            f"{middle:.1f} ± {spread:.1f} % over {seeds} seeds"
        )

    def _fallback(self):
        rows = []
        for name in self._choices["net"]:
            params, macs, middle, spread, _ = self._entry(
                self.data, self.pictures, name
            )
            accuracy = f"{middle:.1f} ± {spread:.1f} %"
            rows.append((name, f"{params:,}", f"{4 * params:,}", f"{macs:,}", accuracy))
        return html_table(
            "size-explorer",
            f"Test accuracy on {self.data}, trained on {self.pictures} pictures: mean "
            "± standard deviation over the seeds",
            ("net", "parameters", "bytes in float32", "multiply-adds", "accuracy"),
            rows,
        )
