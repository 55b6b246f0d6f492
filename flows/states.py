"""Where a flow stands (contract: flows.md 2.2)."""

CHOOSE_METHOD = "choose_method"
SENT_EMAIL = "sent_email"
PASSED_CHALLENGE = "passed_challenge"
SHOW_FORM = "show_form"
SUCCESS = "success"
