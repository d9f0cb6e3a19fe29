"""The headers of pages: nothing from elsewhere, nothing to elsewhere, and in nobody's frame."""

_NOTHING_ELSE = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data: blob:; font-src 'self' data:; base-uri 'none'; object-src 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)

PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _NOTHING_ELSE,
    "Referrer-Policy": "no-referrer",
}
