"""The plan of RFM models: measures, bins, segments, and cut points that are given."""

from __future__ import annotations

from engine.plan_metrics import MetricPlan
from engine.plan_tags import TagPlan
from rfm import scores
from rfm.model import VALUE_GROUPS, RfmModel
from rules.rfm_plan import RfmPlan

DAY = {"minute": 0, "day": 1}
REACH = {
    "quantiles": (scores.STANDS, scores.QUANTILE_DAYS),
    "fixed": (scores.FIXED_MINUTES, scores.FIXED_DAYS),
    "mean": (scores.STANDS, scores.MEAN_DAYS),
}


def bins(model: RfmModel) -> tuple[int, int, int]:
    """Return the number of scores of recency, frequency and monetary."""
    if model.method == "mean":
        return 2, 2, 2
    if model.fixed is not None and model.method == "fixed":
        return len(model.fixed.recency) + 1, len(model.fixed.frequency) + 1, len(model.fixed.monetary) + 1
    return model.bins, model.bins, model.bins


def segment_index(model: RfmModel, r: int, f: int, m: int) -> int:
    """Return the first segment whose ranges hold the scores; the last index is ``otherwise`` (R3, R4)."""
    if not model.segments and model.method == "mean":
        letters = "".join("H" if score == 2 else "L" for score in (r, f, m))
        return list(VALUE_GROUPS).index(letters)
    for i, segment in enumerate(model.segments):
        ranges = ((r, segment.r), (f, segment.f), (m, segment.m))
        if all(low <= score <= high for score, (low, high) in ranges):
            return i
    return len(model.segments)


def model_columns(plans: list[RfmPlan], metric: MetricPlan, tag: TagPlan) -> dict[str, list[int]]:
    """Return the models' plan columns."""
    names = ("recency", "frequency", "bins_r", "bins_f", "bins_m", "reach", "segment")
    out: dict[str, list[int]] = {f"model_{name}": [] for name in names}
    out |= {"model_money": [0], "money_metric": [], "money_sign": []}
    out["metric_models"] = [0] * len(metric.specs)
    for i, plan in enumerate(plans):
        sizes = bins(plan.model)
        out["model_recency"].append(metric.number[plan.recency])
        out["model_frequency"].append(metric.number[plan.frequency])
        for name, size in zip(("r", "f", "m"), sizes, strict=True):
            out[f"model_bins_{name}"].append(size)
        out["model_reach"].append(REACH[plan.model.method][DAY[plan.model.recency_unit]])
        for sign, spec in plan.monetary:
            out["money_metric"].append(metric.number[spec])
            out["money_sign"].append(sign)
        out["model_money"].append(len(out["money_metric"]))
        for spec in (plan.recency, plan.frequency, *(spec for _, spec in plan.monetary)):
            out["metric_models"][metric.number[spec]] |= 1 << i
        for r in range(10):
            for f in range(10):
                for m in range(10):
                    inside = r < sizes[0] and f < sizes[1] and m < sizes[2]
                    out["model_segment"].append(
                        segment_index(plan.model, r + 1, f + 1, m + 1) if inside else -1
                    )
    return out
