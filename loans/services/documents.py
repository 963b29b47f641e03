"""Papers made from what is on file: the loan contract as PDF/A, in Chinese and in English."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pylopdf_fonts_zh_cn
import typst
from django.utils import translation
from django.utils.translation import gettext as _

from branch.domain.identity import mask_account
from branch.domain.money import format_money
from branch.queries.business_date import business_date
from loans.domain.capital_amount import capital_amount
from loans.domain.servicing import PayoffInterest
from loans.models import Contract
from loans.models.product import DayCount, FrequencyUnit, RepaymentMethod
from loans.queries.terms import plan_rows, terms_of
from loans.queries.terms_words import terms_facts

_TEMPLATE = Path(__file__).resolve().parent.parent / "documents" / "contract.typ"
_FONTS = Path(pylopdf_fonts_zh_cn.__file__).parent


def render_contract(contract: Contract, language: str) -> bytes:
    """The contract as PDF/A in `zh-hans` or `en`. Raises typst.TypstError when the template is broken."""
    with translation.override(language):
        data = _contract_data(contract, language)
    result = typst.compile(
        str(_TEMPLATE),
        font_paths=[str(_FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False, default=str)},
        pdf_standards=["a-2b"],
    )
    if not isinstance(result, bytes):
        raise TypeError("a PDF is one piece of bytes")
    return result


def _contract_data(contract: Contract, language: str) -> dict[str, Any]:
    customer, application = contract.customer, contract.application
    made_on = contract.signed_date or business_date()
    zh = language.startswith("zh")
    product = application.product_version.product
    amount = f"¥{format_money(contract.amount)}"
    return {
        "lang": "zh" if zh else "en",
        "number": contract.number,
        "date": [made_on.year, made_on.month, made_on.day],
        "title": _("Loan contract"),
        "labels": {
            "parties": _("Parties"),
            "terms": _("Terms"),
            "conditions": _("Conditions before release"),
            "clauses": _("Clauses"),
            "sign_here": _("Signature, seal and date"),
        },
        "parties": [
            [_("Lender"), contract.office.name],
            [_("Borrower"), customer.name],
            [_("Unified social credit code"), customer.uscc or "—"],
            [_("Owner or legal representative"), customer.contact_name],
            [
                _("Repayment account"),
                mask_account(customer.repayment_account, pattern=_("ending in {tail}"))
                if customer.repayment_account
                else "—",
            ],
        ],
        "terms": [
            [_("Product"), product.name_zh if zh else product.name_en],
            [_("Amount"), f"{amount}（{capital_amount(contract.amount)}）" if zh else f"CNY {amount[1:]}"],
            [_("Purpose"), application.purpose],
            [_("Annual rate"), f"{_percent(contract.annual_rate)} ({DayCount(contract.day_count).label})"],
            [_("Annualised cost incl. fees"), _annual_cost(application.quote)],
            [_("Annual penalty rate when overdue"), _percent(contract.penalty_rate)],
            [_("Repayment method"), str(RepaymentMethod(contract.repayment_method).label)],
            [_("Instalments"), _instalments(contract)],
            *_plan_terms(contract),
            [_("Guarantee"), application.get_guarantee_mode_display()],
            *([label, value] for label, value in terms_facts(terms_of(contract))),
        ],
        "conditions": [c.title for c in application.conditions.order_by("id")],
        "clauses": [
            _("The lender pays out after every condition above is met, to the payee the borrower names."),
            _("Interest runs from the day of payment, that day included, to the day of repayment, that day not."),
            _("The borrower uses the money for the purpose above and shows the lender where it went."),
            _("A sum not paid on its due day bears the penalty rate until it is paid."),
            _early_clause(contract),
            _("The Chinese text prevails over any translation."),
        ],
        "signatures": [contract.office.name, customer.name],
    }


def _percent(rate: Decimal) -> str:
    """A rate to its last place, and at least two: what is charged is what stands here."""
    percent = (rate * 100).normalize()
    places = max(2, -int(percent.as_tuple().exponent))
    return f"{percent:.{places}f}%"


def _annual_cost(quote: dict[str, Any]) -> str:
    simple, compounded = quote.get("apr_simple"), quote.get("apr_irr")
    if not simple or not compounded:
        return "—"
    return _("%(simple)s simple, %(compounded)s compounded") % {
        "simple": f"{Decimal(simple) * 100:.2f}%",
        "compounded": f"{Decimal(compounded) * 100:.2f}%",
    }


def _plan_terms(contract: Contract) -> list[list[str]]:
    """The rows of an agreed plan, day and principal."""
    rows = plan_rows(contract.plan)
    return [[_("Agreed plan"), "; ".join(f"{row.due_date} {row.principal:,.2f}" for row in rows)]] if rows else []


def _early_clause(contract: Contract) -> str:
    terms = terms_of(contract)
    if not terms.prepayment_allowed:
        return _("The borrower does not repay before a sum is due; money paid early is held until then.")
    if terms.payoff_interest is PayoffInterest.TO_PERIOD_END:
        return _("The borrower may repay early; a pay-off owes interest to the end of the running interest period.")
    return _("The borrower may repay early; interest is owed to the day of repayment only.")


def _instalments(contract: Contract) -> str:
    unit = FrequencyUnit(contract.frequency_unit).label
    return _("%(count)s, one every %(every)s %(unit)s") % {
        "count": contract.instalments,
        "every": contract.frequency_every,
        "unit": unit,
    }
