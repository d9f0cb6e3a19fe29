"""Promises of entity tags: every form that RFC 9110 and the proxies know is read, and no other."""

import pytest

from webapp.kit.etags import holds_tag, is_any, read_tags


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ('"7"', ["7"]),
        ('W/"7"', ["7"]),
        ('"7", W/"8" ,"9"', ["7", "8", "9"]),
        ('"7","8"', ["7", "8"]),
        (',, "7",', ["7"]),
        ('""', [""]),
        ('"a,b"', ["a,b"]),
        ('"é"', ["é"]),
        ('"7-gzip"', ["7"]),
        ('"4-1-br"', ["4-1"]),
        ('W/"4-1--gzip"', ["4-1"]),
        ("", []),
        ("7", None),
        ("*", None),
        ('*, "7"', None),
        ('w/"7"', None),
        ("W/7", None),
        ('"7', None),
        ('7"', None),
        ('"7" "8"', None),
        ('"7"; "8"', None),
        ('"a b"', None),
        ("'7'", None),
    ],
)
def test_a_list_of_tags_is_read_as_it_is_written(header: str, tags: list[str] | None) -> None:
    assert read_tags(header) == tags


@pytest.mark.parametrize("header", ['"4-1"', 'W/"4-1"', '"x", "4-1"', '"4-1-gzip"', "*", " * "])
def test_a_tag_is_found_in_every_form_of_it(header: str) -> None:
    assert holds_tag(header, '"4-1"')


@pytest.mark.parametrize("header", ["", "4-1", '"4-2"', '"4"', '"4-1', '"4-1" x', '"*"', '"4-1x"'])
def test_a_tag_is_not_found_in_what_does_not_name_it(header: str) -> None:
    assert not holds_tag(header, '"4-1"')
    assert not is_any(header)


def test_a_long_header_is_read_in_one_pass() -> None:
    assert read_tags(",".join(f'"{n}"' for n in range(20_000)))
    assert read_tags(" " * 20_000 + "x") is None
