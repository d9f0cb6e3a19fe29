"""How requests reach the application: each class of them with threads and deadlines of its own."""
