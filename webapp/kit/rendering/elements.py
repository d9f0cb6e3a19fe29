"""The names of elements and attributes that may reach a reader."""


def _elements(names: str) -> frozenset[str]:
    return frozenset(names.split())


HEADINGS = _elements("h1 h2 h3 h4 h5 h6")

BLOCKS = HEADINGS | _elements(
    "article aside blockquote caption center dd details div dl dt figcaption figure footer header "
    "hr li main ol p pre section summary table tbody td tfoot th thead tr ul"
)

INLINES = _elements(
    "a abbr audio b bdi bdo big br cite code col colgroup data del dfn em i img ins kbd mark "
    "progress q rp rt ruby s samp small source span strike strong sub sup time tt u var video wbr"
)

ALLOWED = BLOCKS | INLINES

VOID = _elements("br col hr img source wbr")
"""Elements that have no end tag."""

FORMATTING = _elements("a b big code em i s small strike strong tt u")
"""Elements that a parser opens again in each block until their end tag comes.

They are the formatting elements of the HTML standard, section "The list of active formatting
elements", as far as they are allowed here.
"""

# Elements that authors link to inside a page. An image must not carry an id: together with a
# name it could shadow a property of the document.
LINK_TARGETS = HEADINGS | _elements(
    "a blockquote dd details div dt figure li p section span sup table td th tr"
)

ATTRIBUTES = {
    "*": _elements("class dir lang title"),
    "a": _elements("href hreflang"),
    "audio": _elements("controls src"),
    "col": _elements("span"),
    "colgroup": _elements("span"),
    "data": _elements("value"),
    "del": _elements("datetime"),
    "details": _elements("open"),
    "img": _elements("alt height src width"),
    "ins": _elements("datetime"),
    "li": _elements("value"),
    "ol": _elements("reversed start type"),
    "progress": _elements("max value"),
    "source": _elements("src type"),
    "td": _elements("colspan headers rowspan"),
    "th": _elements("abbr colspan headers rowspan scope"),
    "time": _elements("datetime"),
    "video": _elements("controls height poster src width"),
}

ALIGNMENTS = {"align": {"left", "center", "right", "justify"}}
ALIGNED = HEADINGS | _elements("div img p table td th tr")
