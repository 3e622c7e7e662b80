"""The words of the terminal pages, in the languages of ``settings.language``."""

from __future__ import annotations

LABELS = {
    "en": {
        "customer": "Customer",
        "as_of": "as of",
        "references": "References",
        "attributes": "Attributes",
        "rfm": "RFM",
        "tags": "Tags",
        "no_tags": "none is held",
        "metrics": "Metrics",
        "since": "since",
        "until": "until",
        "by_hand": "set by hand",
        "why": "why",
        "rows": "rows that counted",
        "recency": "last",
        "frequency": "orders",
        "monetary": "money",
        "none": "none",
        "outside": "outside: nothing counted in the window",
        "minutes_ago": "{} minutes ago",
        "one_minutes_ago": "{} minute ago",
        "days_ago": "{} days ago",
        "one_days_ago": "{} day ago",
    },
    "zh": {
        "customer": "客户",
        "as_of": "截至",
        "references": "标识",
        "attributes": "资料",
        "rfm": "RFM",
        "tags": "标签",
        "no_tags": "没有标签",
        "metrics": "指标",
        "since": "自",
        "until": "至",
        "by_hand": "人工设置",
        "why": "原因",
        "rows": "计入的记录",
        "recency": "最近",
        "frequency": "次数",
        "monetary": "金额",
        "none": "无",
        "outside": "不在范围内：窗口中没有计入的记录",
        "minutes_ago": "{} 分钟前",
        "one_minutes_ago": "{} 分钟前",
        "days_ago": "{} 天前",
        "one_days_ago": "{} 天前",
    },
}


def labels(language: str) -> dict[str, str]:
    """Return the words of one language (``en`` or ``zh``, as tintype.toml allows)."""
    return LABELS[language]
