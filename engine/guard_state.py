"""What guards read of the plan, and what switches have stopped: columns as those of `engine.state`."""

from __future__ import annotations

import engine.state  # noqa: F401 - its columns have the first numbers, whoever is imported first
from engine.columns import column, scalar

zones, set_zones = scalar("zones")
zone_metric, set_zone_metric = scalar("zone_metric")  # whose value is a customer's time zone; -1 none
caps, set_caps = scalar("caps")

trigger_channel, _ = column("trigger_channel", "trigger", "i4", "place in switch_off")
trigger_switch, _ = column("trigger_switch", "trigger", "i4", "its own place in switch_off")
trigger_shadow, _ = column("trigger_shadow", "trigger", "i1", "1: acts not, takes no slots")
trigger_once, _ = column("trigger_once", "trigger", "i1", "1: acts once for a customer")
trigger_hold_out, _ = column("trigger_hold_out", "trigger", "i4", "percent held out of it")
trigger_salt, _ = column("trigger_salt", "trigger", "i8", "tells it from others in hold-outs (D5)")
trigger_mark, _ = column("trigger_mark", "trigger", "i8", "tells it from others in slots of caps (D5)")
trigger_caps, _ = column("trigger_caps", "trigger", "i8", "bits: caps that count it")
shop_hold_out, _ = column("shop_hold_out", "trigger", "i4", "percent held out of the shop's marketing")
shop_salt, _ = column("shop_salt", "single", "i8", "of the shop's hold-out")
quiet_from, _ = column("quiet_from", "trigger", "i4", "local minute of the day; -1 no quiet hours")
quiet_until, _ = column("quiet_until", "trigger", "i4", "local minute of the day")
quiet_hold, _ = column("quiet_hold", "trigger", "i1", "1 hold until their end, 0 drop")
zone_code, _ = column("zone_code", "zone", "i8", "code of a time zone's name; zone 0 is the shop's")
zone_first, _ = column("zone_first", "zone", "i4", "first in zone_start; one more at the end")
zone_start, _ = column("zone_start", "zone_list", "i8", "UTC minute from which an offset holds")
zone_offset, _ = column("zone_offset", "zone_list", "i4", "minutes that local time is ahead of UTC")
cap_most, _ = column("cap_most", "cap", "i4", "slots of a customer (D5)")
cap_within, _ = column("cap_within", "cap", "i4", "minutes")
switch_off, set_switch_off = column("switch_off", "switch", "i1", "1: stopped: all, channels, triggers (D5)")
