"""Where a flow stands (contract: flows.md 2.2)."""

CHOOSE_METHOD = "choose_method"
SENT_EMAIL = "sent_email"
PASSED_CHALLENGE = "passed_challenge"
SHOW_FORM = "show_form"
SUCCESS = "success"

# recovery in which an address is chosen
AWAITING_ADDRESS = "recovery_awaiting_address"
AWAITING_CHOICE = "recovery_awaiting_address_choice"
CONFIRMING_ADDRESS = "recovery_confirming_address"
AWAITING_CODE = "recovery_awaiting_code"
CHOOSING = (AWAITING_ADDRESS, AWAITING_CHOICE, CONFIRMING_ADDRESS, AWAITING_CODE)
