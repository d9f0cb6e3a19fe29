"""From what an author wrote to what a reader gets: Markdown, sanitised HTML, excerpts."""
