"""The rules of publishing: functions on a session that never commit."""
