"""What the migrations make beside the tables: rules of the database that no model can say.

A step that makes or drops a trigger or a function changes this list as well; `flask db check` says
which one is missing, switched off or here without standing in it. What they do is not compared.
"""

# (table, kind, name) of each; a function belongs to no table.
MADE_BY_MIGRATIONS = frozenset(
    {
        ("", "function", "keep_activity()"),
        ("", "function", "keep_activity_blocks()"),
        ("", "function", "keep_slugs_apart()"),
        ("", "function", "number_before_activity()"),
        ("activity_blocks", "trigger", "keep_activity_blocks"),
        ("activity_blocks", "trigger", "keep_all_activity_blocks"),
        ("activity_logs", "trigger", "keep_activity"),
        ("activity_logs", "trigger", "keep_all_activity"),
        ("activity_logs", "trigger", "number_before_activity"),
        ("categories", "trigger", "keep_category_slugs_apart"),
        ("category_aliases", "trigger", "keep_category_aliases_apart"),
        ("tag_aliases", "trigger", "keep_tag_aliases_apart"),
        ("tags", "trigger", "keep_tag_slugs_apart"),
    }
)
