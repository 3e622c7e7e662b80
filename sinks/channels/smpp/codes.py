"""What SMPP's error codes mean for a message: again later, never, or nothing passes until it is mended."""

from __future__ import annotations

from typing import Literal

from sinks.channels.outcome import Refused

Verdict = Literal["retry", "give_up", "stop"]

# SMPP 3.4, section 5.1.3. What is not here (reserved, or a provider's own from 0x400 on) gives the message
# up: it was said of this message, and trying it again for ever helps nobody.
VERDICTS: dict[int, tuple[str, Verdict]] = {
    0x01: ("ESME_RINVMSGLEN", "give_up"),
    0x02: ("ESME_RINVCMDLEN", "give_up"),
    0x03: ("ESME_RINVCMDID", "stop"),
    0x04: ("ESME_RINVBNDSTS", "retry"),  # it has forgotten the bind
    0x05: ("ESME_RALYBND", "retry"),  # the session before this one is not closed there yet
    0x07: ("ESME_RINVREGDLVFLG", "stop"),
    0x08: ("ESME_RSYSERR", "retry"),
    0x0A: ("ESME_RINVSRCADR", "stop"),  # the sender, or signature, is not approved
    0x0B: ("ESME_RINVDSTADR", "give_up"),
    0x0D: ("ESME_RBINDFAIL", "stop"),
    0x0E: ("ESME_RINVPASWD", "stop"),
    0x0F: ("ESME_RINVSYSID", "stop"),
    0x14: ("ESME_RMSGQFUL", "retry"),
    0x15: ("ESME_RINVSERTYP", "stop"),
    0x43: ("ESME_RINVESMCLASS", "give_up"),
    0x45: ("ESME_RSUBMITFAIL", "give_up"),
    0x48: ("ESME_RINVSRCTON", "stop"),
    0x49: ("ESME_RINVSRCNPI", "stop"),
    0x50: ("ESME_RINVDSTTON", "stop"),
    0x51: ("ESME_RINVDSTNPI", "stop"),
    0x53: ("ESME_RINVSYSTYP", "stop"),
    0x58: ("ESME_RTHROTTLED", "retry"),
    0x64: ("ESME_RX_T_APPN", "retry"),
    0x65: ("ESME_RX_P_APPN", "give_up"),
    0x66: ("ESME_RX_R_APPN", "give_up"),
    0xFE: ("ESME_RDELIVERYFAILURE", "give_up"),
    0xFF: ("ESME_RUNKNOWNERR", "give_up"),
}
# Both say that we are too fast for the moment. The specification names no time; limits are counted by the
# second, and a queue that is full takes longer to drain.
_AFTER = {0x14: 5.0, 0x58: 1.0}


def refused(status: int, what: str) -> Refused:
    """Return the refusal that a command's status is. what: the command that was refused."""
    name, verdict = VERDICTS.get(status, ("no code of SMPP 3.4", "give_up"))
    code = f"0x{status:08X}"
    return Refused(verdict, code, f"{what} was refused with {code} ({name})", _AFTER.get(status))
