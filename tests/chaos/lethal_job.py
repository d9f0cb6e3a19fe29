"""The job that kills its worker, for the test that writes it and for the worker that dies of it."""

LETHAL_VERSION_ID = 666
LAST_WORDS = "This job kills its worker."
