"""What somebody may have meant whose search finds nothing: words of what is public, one key away.

It takes no list of words and no extension of PostgreSQL: the words that are one wrong key away are
looked up in the index of what is public, some hundreds for each word, and no draft's among them.
"""

from collections import defaultdict

from webapp.kit.search.queries import SearchQuery
from webapp.kit.search.typing_errors import mend, mendable_words, words_near
from webapp.services.content.stems import Find

# The fence has PostgreSQL look each word up in the index: with a limit alone it would rather read
# the table from end to end in the hope of an early end. Which of two frequent words is the more
# frequent decides nothing, so no more are counted than are needed to call one frequent.
_KNOWN = """
SELECT given.typed, given.word, found.hits
FROM unnest(CAST(:typed AS text[]), CAST(:words AS text[])) AS given (typed, word)
CROSS JOIN LATERAL (
    SELECT count(*) AS hits FROM (
        SELECT FROM (
            SELECT version_id FROM renderings
            WHERE renderings.words @@ CAST('''' || given.word || '''' AS tsquery) OFFSET 0
        ) AS rendered JOIN publications USING (version_id) LIMIT 100
    ) AS held
) AS found
WHERE found.hits > 0
"""


def suggest(find: Find, query: SearchQuery) -> str | None:
    """Return the text of a search with the words mended that nothing public has, None for none.

    `find` runs a statement on what the public reads from.
    """
    places = mendable_words(query)
    given = [(word, other) for word in {word for _, _, word in places}
             for other in (word, *words_near(word))]  # fmt: skip
    if not given:
        return None
    parameters = {"typed": [typed for typed, _ in given], "words": [word for _, word in given]}
    known: dict[str, dict[str, int]] = defaultdict(dict)
    for typed, word, hits in find(_KNOWN, parameters):
        known[typed][word] = hits
    mended = [
        (start, end, max(known[word], key=lambda other: known[word][other]))
        for start, end, word in places
        if known[word] and word not in known[word]
    ]
    return mend(query.typed, mended) if mended else None
