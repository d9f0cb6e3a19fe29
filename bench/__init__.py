"""The benchmark: what Imprint promises to be quick at, against floors measured in the same run."""
