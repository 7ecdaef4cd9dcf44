"""The invented secrets planted in the estate's SQL: none may leave the machine when masking is on.

All of them stand in literals, comments or error messages, never in a name, and each is in some
execution or view of every estate. The people do not exist; the phone numbers are from the ranges
that the Australian regulator keeps for fiction, the card numbers are the networks' test numbers.
"""

from __future__ import annotations

EMAIL = "marguerite.delacroix-7@southerncross.example"
COMMENT_EMAIL = "t.okonkwo-bright@southerncross.example"
ERROR_EMAIL = "bartholomew.zzyzx@southerncross.example"
VIEW_EMAIL = "canary.view@southerncross.example"
TAX_FILE_NUMBER = "876 543 210"
TAX_FILE_NUMBER_PLAIN = "865414088"
PHONE = "+61 491 570 156"
PHONE_PLAIN = "0491570159"
FULL_NAME = "Marguerite O''Delacroix-Quill"
COMMENT_NAME = "Theodora Okonkwo-Bright"
UNICODE_NAME = "山田花子ひみつ"
CARD = "4111111111111111"
CARD_SPACED = "5555 5555 5555 4444"
MEDICARE = "2951 63871 1"
PASSPORT = "PA9940271X"
PASSWORD = "hunter2-Kookaburra!"  # noqa: S105
API_TOKEN = "tok_live_51HxSentinel9Zq"  # noqa: S105
TICKET = "SEC-48151623"
STREET = "42 Wallaby Way, Sydney"
IBAN = "GB33BUKB20201555555555"
DATE_OF_BIRTH = "1957-10-04"
HEX_SECRET = "5E4717EDBEEFCAFE"  # noqa: S105
IP_ADDRESS = "203.0.113.77"
S3_SECRET = "s3://scf-exports/for-marguerite-delacroix/"  # noqa: S105
PREPARED_VALUE = "prepared-Kingfisher-3391"
IMMEDIATE_VALUE = "immediate-Lorikeet-5527"
FAILED_VALUE = "078-05-1120-failed"
UNTERMINATED = "unterminated-Bilby-secret"
HIVE_VALUE = "hive-Quokka-2218"
SMART_QUOTED = "smart-Numbat-7741"

SENTINEL_SECRETS: tuple[str, ...] = (
    EMAIL,
    COMMENT_EMAIL,
    ERROR_EMAIL,
    VIEW_EMAIL,
    TAX_FILE_NUMBER,
    TAX_FILE_NUMBER_PLAIN,
    PHONE,
    PHONE_PLAIN,
    FULL_NAME,
    COMMENT_NAME,
    UNICODE_NAME,
    CARD,
    CARD_SPACED,
    MEDICARE,
    PASSPORT,
    PASSWORD,
    API_TOKEN,
    TICKET,
    STREET,
    IBAN,
    DATE_OF_BIRTH,
    HEX_SECRET,
    IP_ADDRESS,
    S3_SECRET,
    PREPARED_VALUE,
    IMMEDIATE_VALUE,
    FAILED_VALUE,
    UNTERMINATED,
    HIVE_VALUE,
    SMART_QUOTED,
)
"""Each as it stands in the SQL text (a quote inside a literal is doubled)."""
