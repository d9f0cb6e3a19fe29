"""The transactional outbox: a job is a row written in the transaction of its cause."""
