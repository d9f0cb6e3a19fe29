"""Which dictionaries of PostgreSQL stem which languages, by the codes that pages carry."""

DICTIONARIES = {
    "ar": "arabic_stem", "ca": "catalan_stem", "da": "danish_stem", "de": "german_stem",
    "el": "greek_stem", "en": "english_stem", "es": "spanish_stem", "et": "estonian_stem",
    "eu": "basque_stem", "fi": "finnish_stem", "fr": "french_stem", "ga": "irish_stem",
    "hi": "hindi_stem", "hu": "hungarian_stem", "hy": "armenian_stem", "id": "indonesian_stem",
    "it": "italian_stem", "lt": "lithuanian_stem", "ne": "nepali_stem", "nl": "dutch_stem",
    "no": "norwegian_stem", "pt": "portuguese_stem", "ro": "romanian_stem", "ru": "russian_stem",
    "sr": "serbian_stem", "sv": "swedish_stem", "ta": "tamil_stem", "tr": "turkish_stem",
    "yi": "yiddish_stem",
}  # fmt: skip
"""By ISO 639-1. A server that lacks one searches that language by whole words."""

SIMPLE = "simple"
"""The language of what is searched by whole words alone."""
FIELD = "language"
"""The name in an item's metadata whose value is its language, such as `de` or `en-GB`."""
_ALSO = {"nb": "no", "nn": "no"}


def language_code(tag: object) -> str | None:
    """Return the code of a language tag (RFC 5646) that some dictionary stems, else None."""
    if not isinstance(tag, str):
        return None
    first = tag.strip().lower().replace("_", "-").split("-")[0]
    code = _ALSO.get(first, first)
    return code if code in DICTIONARIES else None


def language_of(metadata: dict[str, object], default: str) -> str:
    """Return an item's language: what its metadata say, else the site's, else `simple`."""
    return language_code(metadata.get(FIELD)) or language_code(default) or SIMPLE


def check_language(language: str) -> str:
    """Return a site's language by its code; raises ValueError, which says what is known."""
    if language == SIMPLE:
        return language
    code = language_code(language)
    if code is None:
        known = ", ".join(sorted(DICTIONARIES))
        raise ValueError(f"is no language that PostgreSQL stems: {SIMPLE}, or one of {known}")
    return code
