"""What an editor should look at before a text goes out: rules about a page, each with its name."""
