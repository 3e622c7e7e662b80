"""The one table of everything a partition keeps: every column is declared here, or in `guard_state`.

Accessors, growth, memory report, snapshot and bounds checks derive from these lines. Domains say what a
column is per (customer, row, directory entry ...); widths name a dimension of the plan.
"""

from __future__ import annotations

from engine.columns import column, scalar

ROW_WORD = 15  # bits used of a word of a row's mask (16 bits), so that no mask is ever negative
WORD = 31  # bits used of a word of tags (32 bits)
NONE_MINUTE = -1
LEAVES = 6  # values that go with an effect (G5)
FACT_VALUES = 8
AHEAD = 8  # records at which `engine.ahead` looks at once, at most; a power of two
CAUSES = 7  # numbers that name a decision's cause
WHOLE_KEY = -(1 << 63)  # the high half of a key that is a whole number (W1)

# --- single numbers -----------------------------------------------------------------------------------
clock, set_clock = scalar("clock")  # T2: the minute at which the partition stands
step_now, set_step_now = scalar("step")
mode_now, set_mode_now = scalar("mode")
last_import, set_last_import = scalar("last_import")  # clock at the last record of each mode (T5)
last_live, set_last_live = scalar("last_live")
lacking, set_lacking = scalar("lacking")  # domain that must grow before the kernel goes on; 0 none
failure, set_failure = scalar("failure")  # see engine.kernel: FAILURES
stage, set_stage = scalar("stage")  # how far the opening of a minute has come
cursor, set_cursor = scalar("cursor")
customers_used, set_customers_used = scalar("customers_used")
rows_used, set_rows_used = scalar("rows_used")
rows_free, set_rows_free = scalar("rows_free")  # head of the free list + 1
rows_kept, set_rows_kept = scalar("rows_kept")
entries_used, set_entries_used = scalar("entries_used")
entries_free, set_entries_free = scalar("entries_free")
entries_live, set_entries_live = scalar("entries_live")
list_used, set_list_used = scalar("list_used")
distinct_live, set_distinct_live = scalar("distinct_live")
facts_live, set_facts_live = scalar("facts_live")
timers_live, set_timers_live = scalar("timers_live")
touched_used, set_touched_used = scalar("touched_used")
dirty_used, set_dirty_used = scalar("dirty_used")
due_used, set_due_used = scalar("due_used")
due_cursor, set_due_cursor = scalar("due_cursor")
occasions_used, set_occasions_used = scalar("occasions_used")
transitions_used, set_transitions_used = scalar("transitions_used")
decisions_used, set_decisions_used = scalar("decisions_used")
effects, set_effects = scalar("effects")  # emitted so far: the next effect's number (P3)
changed_used, set_changed_used = scalar("changed_used")
duplicates, set_duplicates = scalar("duplicates")  # changes ignored by position (W1)
late_rows, set_late_rows = scalar("late_rows")
activation, set_activation = scalar("activation")  # 1 while a new rule is judged for everybody (G4)
row_now, set_row_now = scalar("row_now")  # batch index of the row being applied + 1; 0 none
event_kind, set_event_kind = scalar("event_kind")  # of the row being applied: triggers.occasions INSERT ...
recomputed, set_recomputed = scalar("recomputed")
# capacities of what may run full inside one step, mirrored here by `engine.memory`
customer_capacity, set_customer_capacity = scalar("customer_capacity")
row_capacity, set_row_capacity = scalar("row_capacity")
entry_capacity, set_entry_capacity = scalar("entry_capacity")
list_capacity, set_list_capacity = scalar("list_capacity")
distinct_capacity, set_distinct_capacity = scalar("distinct_capacity")
fact_capacity, set_fact_capacity = scalar("fact_capacity")
timer_capacity, set_timer_capacity = scalar("timer_capacity")
touched_capacity, set_touched_capacity = scalar("touched_capacity")
dirty_capacity, set_dirty_capacity = scalar("dirty_capacity")
due_capacity, set_due_capacity = scalar("due_capacity")
transition_capacity, set_transition_capacity = scalar("transition_capacity")
decision_capacity, set_decision_capacity = scalar("decision_capacity")
customer_mask, set_customer_mask = scalar("customer_mask")  # size of the hash tables - 1
entry_mask, set_entry_mask = scalar("entry_mask")
ring_mask, set_ring_mask = scalar("ring_mask")  # minutes held by the minute index - 1
ring_reach, set_ring_reach = scalar("ring_reach")  # how many of them lie behind the clock
wide_values_now, set_wide_values_now = scalar("wide_values")  # 1: rows' values take 64 bits
long_keys_now, set_long_keys_now = scalar("long_keys")  # 1: the low halves of keys take 64 bits
wide_keys_now, set_wide_keys_now = scalar("wide_keys")  # 1: keys have a high half
wide_positions_now, set_wide_positions_now = scalar("wide_positions")  # 1: see entry_position
# dimensions of the plan
sources, set_sources = scalar("sources")
row_words, set_row_words = scalar("row_words")
row_values, set_row_values = scalar("row_values")
slots, set_slots = scalar("slots")  # accumulators of 64 bits per customer
tallies, set_tallies = scalar("tallies")  # and of 32
tags, set_tags = scalar("tags")
tag_words, set_tag_words = scalar("tag_words")
ends, set_ends = scalar("ends")  # two for each tag with sticky or max
models, set_models = scalar("models")
windows, set_windows = scalar("windows")
own_windows, set_own_windows = scalar("own_windows")
triggers, set_triggers = scalar("triggers")
distincts, set_distincts = scalar("distincts")  # metrics that count different values
waiting_triggers, set_waiting_triggers = scalar("waiting_triggers")
absence_triggers, set_absence_triggers = scalar("absence_triggers")
metrics, set_metrics = scalar("metrics")
segment_enters, set_segment_enters = scalar("segment_enters")
segment_leaves, set_segment_leaves = scalar("segment_leaves")

# --- a customer -----------------------------------------------------------------------------------------
customer_high, set_customer_high = column("customer_high", "customer", "i8", "id: high", record="customer")
customer_low, set_customer_low = column("customer_low", "customer", "i8", "id, low half", record="customer")
customer_touch, set_customer_touch = column(
    "customer_touch", "customer", "i4", "place in the touched list + 1; -1 in changed only", record="customer"
)
customer_gone, set_customer_gone = column("customer_gone", "customer", "i1", "1: erased", record="customer")
changed, set_changed = column("changed", "customer", "i4", "list: whose profile changed since it was taken")
customer_slot, set_customer_slot = column("customer_slot", "customer_slot", "i4", "hash table: customer + 1")
slot, set_slot = column("slot", "customer", "i8", "accumulators of the metrics: sums and extremes", "slots")
tally, set_tally = column("tally", "customer", "i4", "and counts; first, last: their row + 1", "tallies")
truth, set_truth = column("truth", "customer", "i4", "bits: rule is true (G1)", "tag_words", record="tags")
candidate, set_candidate = column(
    "candidate", "customer", "i4", "bits: truth, sticky and max (G1)", "tag_words", record="tags"
)
member, set_member = column("member", "customer", "i4", "bits: membership (G1)", "tag_words", record="tags")
spent, set_spent = column("spent", "customer", "i4", "bits: ended by max", "tag_words", record="tags")
manual, set_manual = column(
    "manual", "customer", "i4", "bits: set or unset by hand (a fact says how)", "tag_words", record="tags"
)
since, set_since = column("since", "customer", "i4", "minute at which membership began (G3)", "tags")
until, set_until = column(
    "until", "customer", "i4", "sticky, max: minute at which it falls, and max ends it; 0 none", "ends"
)
frequency, set_frequency = column("frequency", "customer", "i4", "orders (R1)", "models", record="rfm")
monetary, set_monetary = column("monetary", "customer", "i8", "net minor units (R1)", "models", record="rfm")
recent, set_recent = column(
    "recent", "customer", "i4", "minute of the last counted order; -1 none (R1)", "models", record="rfm"
)
segment, set_segment = column("segment", "customer", "i2", "segment's index; -1 none", "models", record="rfm")
score_r, set_score_r = column("score_r", "customer", "i1", "recency score; 0 none", "models", record="rfm")
score_f, set_score_f = column("score_f", "customer", "i1", "frequency score; 0 none", "models", record="rfm")
score_m, set_score_m = column("score_m", "customer", "i1", "monetary score; 0 none", "models", record="rfm")
own_low, set_own_low = column("own_low", "customer", "i4", "own window: first minute", "own_windows")
own_high, set_own_high = column("own_high", "customer", "i4", "own window: end", "own_windows")
own_due, set_own_due = column("own_due", "customer", "i4", "own window: next anniversary", "own_windows")
list_start, set_list_start = column(
    "list_start", "customer", "i4", "rows of a source: place in the pool", "sources", record="list"
)
list_size, set_list_size = column("list_size", "customer", "i4", "rows", "sources", record="list")
list_class, set_list_class = column(
    "list_class", "customer", "i1", "its block: profiles.lists; -1 none", "sources", record="list"
)

# --- a row ------------------------------------------------------------------------------------------------
row_minute, set_row_minute = column("row_minute", "row", "i4", "event minute (T1)", record="row")
row_micro, set_row_micro = column("row_micro", "row", "i4", "microseconds into the minute", record="row")
row_customer, set_row_customer = column("row_customer", "row", "i4", "customer", record="row")
row_entry, set_row_entry = column("row_entry", "row", "i4", "directory entry", record="row")
row_next, set_row_next = column("row_next", "row", "i4", "next row of source and minute + 1", record="row")
row_previous, set_row_previous = column("row_previous", "row", "i4", "previous + 1; 0; -1 none", record="row")
row_pass, set_row_pass = column("row_pass", "row", "i2", "bits: metrics whose filter it passes", "row_words")
narrow_value, set_narrow_value = column(
    "narrow_value", "row", "i4", "projected columns while all fit 32 bits: profiles.rows", "narrow_values"
)
wide_value, set_wide_value = column(
    "wide_value", "row", "i8", "projected columns from the first on that does not fit", "wide_values"
)
minute_head, set_minute_head = column("minute_head", "minute", "i4", "first row of each + 1", "sources")
place, set_place = column("place", "list", "i4", "pool of sorted row numbers")
place_free, set_place_free = column("place_free", "list_class", "i4", "free blocks of a class: first + 1")

# --- the row directory: source, key -> position and row (W1 to W3) ------------------------------------
entry_low, set_entry_low = column("entry_low", "entry", "i4", "key: the lowest 32 bits", record="entry")
entry_offset, set_entry_offset = column("entry_offset", "entry", "i4", "offset, low 32 bits", record="entry")
entry_state, set_entry_state = column(
    "entry_state", "entry", "i4", "row, or since when there is none: profiles.directory", record="entry"
)
entry_source, set_entry_source = column("entry_source", "entry", "i1", "source; -1 free", record="entry")
entry_rest, set_entry_rest = column(
    "entry_rest", "entry", "i4", "key: the low half's other bits, once a key does not fit 32", "long_keys"
)
entry_high, set_entry_high = column(
    "entry_high", "entry", "i8", "key, high half, once a key is no whole number", "wide_keys"
)
entry_position, set_entry_position = column(
    "entry_position", "entry", "i8", "source position, once one is not 0", "wide_positions", record="position"
)
entry_epoch, set_entry_epoch = column(
    "entry_epoch", "entry", "i4", "source epoch, once one is not 0", "wide_positions", record="position"
)
entry_offset_rest, set_entry_offset_rest = column(
    "entry_offset_rest", "entry", "i4", "offset, the other bits", "wide_positions", record="position"
)
entry_slot, set_entry_slot = column("entry_slot", "entry_slot", "i4", "hash table: profiles.directory")

# --- different values (distinct), facts, timers ---------------------------------------------------------
distinct_value, set_distinct_value = column("distinct_value", "distinct", "i8", "value", record="distinct")
distinct_customer, set_distinct_customer = column(
    "distinct_customer", "distinct", "i4", "customer", record="distinct"
)
distinct_count, set_distinct_count = column(
    "distinct_count", "distinct", "i4", "rows with it; 0 empty place", record="distinct"
)
distinct_metric, set_distinct_metric = column(
    "distinct_metric", "distinct", "i2", "metric", record="distinct"
)
fact_customer, set_fact_customer = column("fact_customer", "fact", "i4", "customer", record="fact")
fact_kind, set_fact_kind = column("fact_kind", "fact", "i4", "kind x 65536 + number; 0 empty", record="fact")
fact_value, set_fact_value = column("fact_value", "fact", "i8", "see profiles.facts", "fact_values")
timer_high, set_timer_high = column("timer_high", "timer", "i8", "cause: key, high half", record="timer")
timer_low, set_timer_low = column("timer_low", "timer", "i8", "cause: key, low half", record="timer")
timer_minute, set_timer_minute = column("timer_minute", "timer", "i4", "due; a binary heap", record="timer")
timer_kind, set_timer_kind = column("timer_kind", "timer", "i4", "kind x 65536 + number", record="timer")
timer_customer, set_timer_customer = column("timer_customer", "timer", "i4", "customer", record="timer")

# --- work lists of one step -----------------------------------------------------------------------------
touched, set_touched = column("touched", "touched", "i4", "customer")
touched_tags, set_touched_tags = column("touched_tags", "touched", "i4", "bits: tags to judge", "tag_words")
touched_models, set_touched_models = column("touched_models", "touched", "i4", "bits: values to read again")
dirty_metric, set_dirty_metric = column("dirty_metric", "dirty", "i4", "metric whose extreme is lost")
dirty_customer, set_dirty_customer = column("dirty_customer", "dirty", "i4", "of this customer")
due_high, set_due_high = column("due_high", "due", "i8", "cause: key, high half", record="due")
due_low, set_due_low = column("due_low", "due", "i8", "cause: key, low half", record="due")
due_trigger, set_due_trigger = column("due_trigger", "due", "i4", "trigger due now (T3 (7))", record="due")
due_customer, set_due_customer = column("due_customer", "due", "i4", "customer", record="due")
due_since, set_due_since = column("due_since", "due", "i4", "minute at which it fell due", record="due")
due_kind, set_due_kind = column("due_kind", "due", "i1", "see triggers.due", record="due")
occasion_trigger, set_occasion_trigger = column("occasion_trigger", "occasion", "i4", "set off in this step")
occasion_row, set_occasion_row = column("occasion_row", "occasion", "i4", "batch index of its row; -1 none")
ahead_customer, set_ahead_customer = column("ahead_customer", "ahead", "i4", "of the records ahead; -1 new")
ahead_entry, set_ahead_entry = column("ahead_entry", "ahead", "i4", "their directory entry, likely; -1 new")
stack_value, set_stack_value = column("stack_value", "stack", "i8", "rule machine: values")
stack_null, set_stack_null = column("stack_null", "stack", "i1", "rule machine: 1 where null")

# --- effects ----------------------------------------------------------------------------------------------
t_seq, set_t_seq = column("t_seq", "transition", "i8", "number among the partition's effects (P3)")
t_step, set_t_step = column("t_step", "transition", "i8", "step")
t_minute, set_t_minute = column("t_minute", "transition", "i4", "clock")
t_customer, set_t_customer = column("t_customer", "transition", "i4", "customer")
t_kind, set_t_kind = column("t_kind", "transition", "i1", "0 tag left, 1 tag entered, 2 segment changed")
t_object, set_t_object = column("t_object", "transition", "i2", "tag or RFM model")
t_mode, set_t_mode = column("t_mode", "transition", "i1", "0 import, 1 live, 2 history, 3 activation")
t_from, set_t_from = column("t_from", "transition", "i2", "segment before; -1 none")
t_to, set_t_to = column("t_to", "transition", "i2", "segment after; -1 none")
t_leaf, set_t_leaf = column("t_leaf", "transition", "i8", "values of the rule's metrics", "leaves")
t_null, set_t_null = column("t_null", "transition", "i1", "bits: leaf is null")
d_seq, set_d_seq = column("d_seq", "decision", "i8", "number among the partition's effects (P3)")
d_step, set_d_step = column("d_step", "decision", "i8", "step")
d_minute, set_d_minute = column("d_minute", "decision", "i4", "clock")
d_customer, set_d_customer = column("d_customer", "decision", "i4", "customer")
d_trigger, set_d_trigger = column("d_trigger", "decision", "i2", "trigger")
d_outcome, set_d_outcome = column("d_outcome", "decision", "i1", "0 act, 1 refused, 2 contradicted, 3 held")
d_guard, set_d_guard = column("d_guard", "decision", "i1", "guard that refused; 0 none")
d_cause, set_d_cause = column(
    "d_cause", "decision", "i8", "source, key high, key low, epoch, position, offset, minute", "causes"
)
d_figure, set_d_figure = column("d_figure", "decision", "i8", "the guard's figures", "figures")
d_leaf, set_d_leaf = column("d_leaf", "decision", "i8", "values of the condition's metrics", "leaves")
d_null, set_d_null = column("d_null", "decision", "i1", "bits: leaf is null")

# --- the batch (bound to the caller's arrays for one call) --------------------------------------------
b_kind, _ = column("b_kind", "batch", "i1", "0 row, 1 tick, 2 manual tag, 3 consent ...: engine.batch")
b_op, _ = column("b_op", "batch", "i1", "0 upsert, 1 insert, 2 update, 3 delete, 4 snapshot read, 5 move out")
b_source, _ = column("b_source", "batch", "i2", "source")
b_minute, _ = column("b_minute", "batch", "i4", "append minute")
b_mode, _ = column("b_mode", "batch", "i1", "0 import, 1 live")
b_customer_high, _ = column("b_customer_high", "batch", "i8", "customer id")
b_customer_low, _ = column("b_customer_low", "batch", "i8", "customer id")
b_key_high, _ = column("b_key_high", "batch", "i8", "key")
b_key_low, _ = column("b_key_low", "batch", "i8", "key")
b_epoch, _ = column("b_epoch", "batch", "i4", "source epoch")
b_position, _ = column("b_position", "batch", "i8", "source position")
b_offset, _ = column("b_offset", "batch", "i8", "offset")
b_event_us, _ = column("b_event_us", "batch", "i8", "event time, microseconds since 1970 UTC")
b_value, _ = column("b_value", "batch", "i8", "projected columns", "row_values")
b_null, _ = column("b_null", "batch", "i8", "bits: value is null")
b_arg_a, _ = column("b_arg_a", "batch", "i8", "control: number of the tag, consent or source")
b_arg_b, _ = column("b_arg_b", "batch", "i8", "control: 1 on, 0 off, 2 removed; minute heard until")
b_arg_c, _ = column("b_arg_c", "batch", "i8", "control: until minute; 0 none")

# --- a hash table's old contents while it grows -------------------------------------------------------
old_customer, _ = column("old_customer", "old", "i4", "customer")
old_kind, _ = column("old_kind", "old", "i4", "kind or metric")
old_count, _ = column("old_count", "old", "i4", "count")
old_value, _ = column("old_value", "old", "i8", "values")

# --- the plan: the shop's configuration as numbers (engine.plan fills it) ----------------------------
source_window, _ = column("source_window", "source", "i4", "first window of the source; one more at the end")
source_filter, _ = column("source_filter", "source", "i4", "first filter of the source; one more at the end")
source_where, _ = column("source_where", "source", "i4", "program of what its rows must pass; -1 none")
source_horizon, _ = column("source_horizon", "source", "i4", "duplicate horizon in minutes (W3)")
source_stale, _ = column("source_stale", "source", "i4", "minutes after which it is stale; 0 never (D4)")
fresh_until, set_fresh_until = column("fresh_until", "fresh", "i4", "minute until which it was heard of")
source_event, _ = column("source_event", "source", "i4", "first in event_trigger; one more at the end")
source_absence, _ = column("source_absence", "source", "i4", "first in absence_after; one more at the end")
source_refutes, _ = column("source_refutes", "source", "i4", "first in absence_of; one more at the end")
source_distinct, _ = column("source_distinct", "source", "i4", "first in distinct_of; one more at the end")
distinct_of, _ = column("distinct_of", "distinct_list", "i4", "metrics that count different values")
bit_metric, _ = column("bit_metric", "source", "i4", "metric of a row's bit", "row_bits")
value_bits, _ = column("value_bits", "source", "i2", "bits of the metrics over a column", "value_words")
window_kind, _ = column("window_kind", "window", "i1", "0 all, 1 trailing, 2 calendar, 3 own")
window_length, _ = column("window_length", "window", "i4", "minutes; own: minutes to keep")
window_offset, _ = column("window_offset", "window", "i4", "minutes, or units")
window_unit, _ = column("window_unit", "window", "i4", "calendar unit; own: number among own windows")
window_anchor, _ = column("window_anchor", "window", "i4", "own: metric of the date attribute")
window_bits, _ = column("window_bits", "window", "i2", "bits: metrics with this window", "row_words")
window_distincts, _ = column("window_distincts", "window", "i4", "metrics of it that count different values")
window_low, set_window_low = column("window_low", "window", "i4", "first minute at the clock")
window_high, set_window_high = column("window_high", "window", "i4", "end at the clock")
filter_program, _ = column("filter_program", "filter", "i4", "its program; -1 none")
filter_bits, _ = column("filter_bits", "filter", "i2", "bits: metrics with this filter", "row_words")
metric_source, _ = column("metric_source", "metric", "i4", "source")
metric_function, _ = column("metric_function", "metric", "i1", "see profiles.metrics")
metric_value, _ = column("metric_value", "metric", "i4", "place among the row's values; -1 the row itself")
metric_slot, _ = column("metric_slot", "metric", "i4", "accumulator of 64 bits")
metric_tally, _ = column("metric_tally", "metric", "i4", "accumulator of 32 bits")
metric_bit, _ = column("metric_bit", "metric", "i4", "bit of its source's rows")
metric_window, _ = column("metric_window", "metric", "i4", "window")
metric_tags, _ = column("metric_tags", "metric", "i4", "bits: tags that read it", "tag_words")
metric_models, _ = column("metric_models", "metric", "i4", "bits: RFM models that read it")
metric_anchors, _ = column("metric_anchors", "metric", "i1", "1: own windows hang on it")
calendar_start, _ = column("calendar_start", "calendar", "i4", "boundaries of all units, minutes")
unit_first, _ = column("unit_first", "unit", "i4", "first boundary of a unit; one more at the end")
unit_now, set_unit_now = column("unit_now", "unit", "i4", "boundary at or before the clock")
code, _ = column("code", "code", "i8", "rule machine: op, a, b", "instruction")
constant, _ = column("constant", "constant", "i8", "rule machine: constants")
program_start, _ = column("program_start", "program", "i4", "first instruction; one more at the end")
program_constant, _ = column("program_constant", "program", "i4", "first constant")
tag_program, _ = column("tag_program", "tag", "i4", "its rule; -1 none")
tag_sticky, _ = column("tag_sticky", "tag", "i4", "minutes; 0 none")
tag_max, _ = column("tag_max", "tag", "i4", "minutes; 0 none")
tag_end, _ = column("tag_end", "tag", "i4", "place in until; -1 none")
tag_group, _ = column("tag_group", "tag", "i4", "last tag of its exclusive group; -1 none")
tag_group_first, _ = column("tag_group_first", "tag", "i4", "first tag of its exclusive group")
tag_readers, _ = column("tag_readers", "tag", "i4", "bits: tags whose rules read it", "tag_words")
tag_enter, _ = column("tag_enter", "tag", "i4", "first of its enter triggers; one more at the end")
tag_leave, _ = column("tag_leave", "tag", "i4", "first of its leave triggers; one more at the end")
tag_leaf, _ = column("tag_leaf", "tag", "i4", "metric x 2 + part; -1 none", "leaves")
enter_trigger, _ = column("enter_trigger", "enter_list", "i4", "triggers on entering")
leave_trigger, _ = column("leave_trigger", "leave_list", "i4", "triggers on leaving")
event_trigger, _ = column("event_trigger", "event_list", "i4", "triggers on a source's rows")
absence_after, _ = column("absence_after", "after_list", "i4", "absence triggers that its rows begin")
absence_of, _ = column("absence_of", "of_list", "i4", "absence triggers that a source's row refutes")
model_recency, _ = column("model_recency", "model", "i4", "metric: last counted order")
model_frequency, _ = column("model_frequency", "model", "i4", "metric")
model_money, _ = column("model_money", "model", "i4", "first term; one more at the end")
money_metric, _ = column("money_metric", "money", "i4", "metric of a term")
money_sign, _ = column("money_sign", "money", "i4", "1 or -1")
model_tags, _ = column("model_tags", "model", "i4", "bits: tags that read the model", "tag_words")
model_bins_r, _ = column("model_bins_r", "model", "i4", "bins of recency")
model_bins_f, _ = column("model_bins_f", "model", "i4", "bins of frequency")
model_bins_m, _ = column("model_bins_m", "model", "i4", "bins of monetary")
model_reach, _ = column("model_reach", "model", "i4", "see rfm.scores: how recency cuts move with the clock")
model_segment, _ = column("model_segment", "model", "i2", "segment of (r, f, m)", "score_cells")
segment_enter, _ = column(
    "segment_enter", "segment_list", "i4", "trigger on entering a segment: model, segment, trigger", "triple"
)
segment_leave, _ = column("segment_leave", "segment_left_list", "i4", "trigger on leaving one", "triple")
cut_r, set_cut_r = column("cut_r", "model", "i8", "recency cuts: see rfm.scores", "cuts")
cut_r_low, set_cut_r_low = column("cut_r_low", "model", "i8", "order statistic below, a minute", "cuts")
cut_r_high, set_cut_r_high = column("cut_r_high", "model", "i8", "order statistic above, a minute", "cuts")
cut_r_part, set_cut_r_part = column("cut_r_part", "model", "i8", "part of the way between, in bins", "cuts")
cut_f, set_cut_f = column("cut_f", "model", "i8", "least frequency that exceeds the cut", "cuts")
cut_m, set_cut_m = column("cut_m", "model", "i8", "least monetary that exceeds the cut", "cuts")
cuts_known, set_cuts_known = column("cuts_known", "model", "i1", "1 when cut points are in force")
reach_now, set_reach_now = column(
    "reach_now", "model", "i8", "recency: minute at or before which a cut is exceeded", "cuts"
)
reach_place, set_reach_place = column(
    "reach_place", "model", "i8", "customers at or before it in sorted_recent", "cuts"
)
population_changed, set_population_changed = column(
    "population_changed", "model", "i1", "bits: recency, frequency, monetary"
)
cuts_minute, set_cuts_minute = column(
    "cuts_minute", "model", "i4", "opening whose days hold while nobody is in the population; 0 the clock's"
)
cuts_of, _ = column("cuts_of", "model", "i4", "minute C of the cuts record in force; 0 none (R5)")
rescore_all, set_rescore_all = column("rescore_all", "model", "i1", "bits of measures whose cuts have moved")
sorted_recent, _ = column("sorted_recent", "sorted", "i8", "last order x 2^31 + customer, sorted")
gathered_recent, set_gathered_recent = column("gathered_recent", "gathered", "i8", "order x 2^31 + customer")
gathered_frequency, set_gathered_frequency = column("gathered_frequency", "gathered", "i8", "to be sorted")
gathered_monetary, set_gathered_monetary = column("gathered_monetary", "gathered", "i8", "to be sorted")
sorted_first, set_sorted_first = column(
    "sorted_first", "model_end", "i8", "first in sorted_recent; one more at the end"
)
days_total, set_days_total = column(
    "days_total", "model", "i8", "method mean by day: sum of the population's days at the clock"
)
days_size, set_days_size = column("days_size", "model", "i8", "method mean by day: size of the population")
days_residue, set_days_residue = column(
    "days_residue", "model", "i4", "customers by last order mod 1440", "residues"
)
trigger_condition, _ = column("trigger_condition", "trigger", "i4", "program of if; -1 none")
trigger_where, _ = column("trigger_where", "trigger", "i4", "program of where; -1 none")
trigger_operations, _ = column("trigger_operations", "trigger", "i4", "bits: 1 insert, 2 update, 4 delete")
trigger_for, _ = column("trigger_for", "trigger", "i4", "minutes; 0 none")
trigger_occasion, _ = column("trigger_occasion", "trigger", "i1", "see triggers.occasions")
trigger_holds, _ = column("trigger_holds", "trigger", "i4", "enter/leave: tag, or -1 - segment; must go on")
trigger_model, _ = column("trigger_model", "trigger", "i4", "enter/leave of a segment: its model")
trigger_within, _ = column("trigger_within", "trigger", "i4", "absence: minutes")
trigger_of, _ = column("trigger_of", "trigger", "i4", "absence: metric that counts B")
trigger_after, _ = column("trigger_after", "trigger", "i4", "absence: source of A")
trigger_max_age, _ = column("trigger_max_age", "trigger", "i4", "minutes (D4)")
trigger_consent, _ = column("trigger_consent", "trigger", "i4", "consent number; 0 none needed")
trigger_cool_down, _ = column("trigger_cool_down", "trigger", "i4", "minutes; 0 none")
trigger_paused, _ = column("trigger_paused", "trigger", "i1", "1 decides nothing")
trigger_activates, _ = column("trigger_activates", "trigger", "i1", "1: activation sets it off too")
trigger_next, set_trigger_next = column("trigger_next", "trigger", "i4", "schedule: next due minute; 0 none")
trigger_leaf, _ = column("trigger_leaf", "trigger", "i4", "metric x 2 + part; -1 none", "leaves")
waiting_trigger, _ = column("waiting_trigger", "waiting_list", "i4", "triggers with for")
