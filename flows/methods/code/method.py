"""The method `code`: one name for what a code is good for in each flow. What it may do is configured flow by flow."""

from __future__ import annotations

from flows import conf
from flows.methods.base import register
from flows.methods.code.login import CodeLogin
from flows.methods.code.proving import CodeProof
from flows.methods.code.registration import CodeRegistration
from flows.submission import Submission


@register
class CodeMethod(CodeLogin, CodeRegistration, CodeProof):
    name = "code"
    says_disabled = True

    def is_offered(self, flow: str) -> bool:
        match flow:
            case "login":
                return conf.codes().is_first_factor or conf.codes().is_second_factor
            case "registration":
                return conf.codes().is_first_factor
        return self.is_enabled()

    def claims(self, submission: Submission) -> bool:
        kind = submission.flow.kind
        if kind in ("login", "registration") and not self.is_offered(kind):
            return False
        picked = kind == "login" and not submission.method and bool(submission.text("address"))
        return picked or super().claims(submission)
