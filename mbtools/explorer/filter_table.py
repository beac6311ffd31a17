"""A long table that a reader narrows down."""

import re

import traitlets

from .base import Explorer, compact, html_table, script


class FilterTable(Explorer):
    """A table of text with a search box and a choice for some columns.

    header: the names of the columns; rows: lists of as many texts; filters:
    the columns to choose a value in; caption: what the table holds.
    A last column of long texts stands below its row.
    query: words that a row must all have, in any cell and in any case. They
    may be a word's beginning, but not a number's: "2" finds neither 12 nor 2.5.
    chosen: {column: value}, the rows with that value alone.

    Raises ValueError if a row or a filter does not fit the header, and
    ``traitlets.TraitError`` for a choice that no row has.
    """

    _esm = script("filter_table")
    query = traitlets.Unicode().tag(sync=True)
    chosen = traitlets.Dict().tag(sync=True)

    def __init__(self, header, rows, filters=(), caption="", query="", chosen=None):
        self.header, self.rows = tuple(header), tuple(map(tuple, rows))
        self.filters, self.caption = tuple(filters), caption
        for number, row in enumerate(self.rows):
            if len(row) != len(self.header):
                raise ValueError(
                    f"row {number} has {len(row)} cells, the header {len(self.header)}"
                )
            if not all(isinstance(cell, str) for cell in row):
                raise ValueError(f"cells must be text; row {number} is {row!r}")
        if unknown := set(self.filters) - set(self.header):
            raise ValueError(
                f"filters must be columns ({', '.join(self.header)}); "
                f"got {', '.join(sorted(unknown))}"
            )
        table = {
            "header": self.header,
            "rows": self.rows,
            "filters": self.filters,
            "caption": caption,
        }
        super().__init__(_table=compact(table), query=query, chosen=chosen or {})

    @property
    def shown(self):
        """The rows that the query and the choices leave, as a tuple."""
        # filter_table.js has the same rule
        words = [
            re.compile(rf"(?<![\w.,]){re.escape(word)}(?!(?<=[0-9])[.,]?\w)")
            for word in self.query.lower().split()
        ]
        index = {self.header.index(name): value for name, value in self.chosen.items()}
        return tuple(
            row
            for row in self.rows
            if all(row[i] == value for i, value in index.items())
            and all(word.search("\n".join(row).lower()) for word in words)
        )

    @traitlets.validate("chosen")
    def _check_chosen(self, proposal):
        for name, value in proposal["value"].items():
            if name not in self.filters:
                raise traitlets.TraitError(
                    f"chosen names columns among {', '.join(self.filters)}; "
                    f"got {name!r}"
                )
            at = self.header.index(name)
            if all(row[at] != value for row in self.rows):
                raise traitlets.TraitError(f"no row has {value!r} in column {name!r}")
        return proposal["value"]

    def __repr__(self):
        return f"FilterTable: {len(self.shown)} of {len(self.rows)} rows"

    def _fallback(self):
        return html_table("filter-table", self.caption, self.header, self.rows)
