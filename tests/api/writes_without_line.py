"""The routes that write and leave no line in the activity log, each with the reason."""

OF_A_READER = "what somebody reads is nobody else's business"
UNSAVED = "what is typed and not saved is no deed yet; the save of it has a line"
A_QUESTION = "it is a question to a device, and what comes of its answer has a line"
WITHOUT_LINE = {
    "POST /api/v1/auth/passkeys/sign-in-options": A_QUESTION,
    "POST /api/v1/auth/passkeys/proof-options": A_QUESTION,
    "POST /api/v1/auth/second-factor/passkey-options": A_QUESTION,
    "POST /api/v1/auth/password-reset": (
        "it does the same work whether there is an account or not; the worker adds the line"
    ),
    "POST /api/v1/auth/issuers/<issuer_name>/sign-ins": "whose sign-in it is shows at its end",
    "POST /api/v1/auth/issuers/<issuer_name>/token": (
        "it wants an issuer that runs; its line is asked for in tests/api/accounts/test_issuers.py"
    ),
    "PUT /api/v1/content/<int:content_id>/autosave": UNSAVED,
    "DELETE /api/v1/content/<int:content_id>/autosave": UNSAVED,
    "PUT /api/v1/follows/<target>/<int:target_id>": OF_A_READER,
    "DELETE /api/v1/follows/<target>/<int:target_id>": OF_A_READER,
    "POST /api/v1/notifications/<int:notification_id>/read": OF_A_READER,
    "POST /api/v1/notifications/read-all": OF_A_READER,
    "POST /api/v1/notices/read": OF_A_READER,
}
