"""Files of invoices as tests of imports write them."""

from __future__ import annotations

import io

HEAD = "企业代号,发票号码,开票日期,购方单位代号,金额,税额,价税合计,发票状态"
ROW = "E1,1001,2025-03-04,B1,100.00,13.00,113.00,有效发票"


class Sent(io.BytesIO):
    name = "invoices.csv"


def text_of(*lines: str, head: str = HEAD) -> str:
    return "\n".join((head, *lines)) + "\n"
