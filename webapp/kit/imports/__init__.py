"""Content of other systems read into one form: pure parsers, which open no file themselves."""
