"""What a word is to the search, of documents and of queries alike."""
