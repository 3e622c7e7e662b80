"""Checks of providers of SMS in the cloud: signatures, their templates, addresses."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Set
from urllib.parse import urlsplit

from app.documents.document import Place
from app.folder import Folder
from app.problems import Problems
from rules.suggest import suggest
from sinks.channels.cloud.aliyun import AliyunSettings
from sinks.channels.cloud.settings import ChineseSettings, CloudSettings, ProviderTemplate
from sinks.channels.cloud.tencent import TencentSettings
from sinks.channels.cloud.twilio import TwilioSettings
from sinks.links.code import LENGTH
from sinks.texts.texts import LINK

LABEL = "channels.yaml"
_Add = Callable[[Place, str, str], None]  # tells a problem at a key of the provider, with a hint
# a number, the SID of a messaging service, a short code, or a sender id of letters and digits (at most 11)
_SENDER = re.compile(r"\+[1-9]\d{6,14}|MG[0-9a-fA-F]{32}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")


def check_cloud_sms(
    folder: Folder, place: Place, provider: CloudSettings, names: Mapping[str, Set[str]], problems: Problems
) -> None:
    """Check what can be decided without the provider.

    place: of the provider in the file. names: template of the channel to the names in its braces.
    """

    def add(key: Place, problem: str, hint: str) -> None:
        problems.add(folder.where(LABEL, *place, *key), problem, hint)

    if isinstance(provider, ChineseSettings):
        _check_signature(provider.sign_name, add)
        for template in names:
            if template not in provider.provider_templates:
                add((), f"provider_templates lacks '{template}'", "name the provider's own template for it")
    for template, theirs in provider.provider_templates.items():
        key = ("provider_templates", template)
        if template not in names:
            add(key, f"there is no template '{template}'", suggest(template, list(names), "template"))
        else:
            _check_variables(key, theirs, names[template], isinstance(provider, TencentSettings), add)
            if isinstance(provider, ChineseSettings) and LINK in theirs.variables:
                _check_link(key, provider.variable_length, bool(folder.shop.settings.links.base), add)
    if isinstance(provider, AliyunSettings | TencentSettings | TwilioSettings) and provider.endpoint:
        _check_address(("endpoint",), provider.endpoint, add, alone=True)
    if isinstance(provider, TwilioSettings):
        _check_twilio(provider, add)


def _check_signature(sign_name: str, add: _Add) -> None:
    """Both providers: 2 to 12 characters, Chinese or English letters and digits, the brackets are theirs."""
    if not sign_name.isalnum():
        hint = "write the approved signature alone, the provider puts 【】 around it"
        add(("sign_name",), f"'{sign_name}' holds more than letters and digits", hint)
    elif not 2 <= len(sign_name) <= 12:
        hint = "write the approved signature: it has 2 to 12"
        add(("sign_name",), f"'{sign_name}' has {len(sign_name)} characters", hint)


def _check_variables(
    key: Place, template: ProviderTemplate, names: Set[str], numbered: bool, add: _Add
) -> None:
    for ours in template.variables:
        if ours not in names:
            hint = suggest(ours, sorted(names), "variable")
            add((*key, "variables", ours), f"the template has no variable '{ours}'", hint)
    theirs = [str(one) for one in template.variables.values()]
    if len(set(theirs)) < len(theirs):
        add((*key, "variables"), "two variables have one name at the provider", "give each its own")
    elif numbered and sorted(theirs) != sorted(str(n) for n in range(1, len(theirs) + 1)):
        hint = f"number them from 1 to {len(theirs)}"
        add((*key, "variables"), "Tencent's variables are numbered without a gap", hint)


def _check_link(key: Place, longest: int | None, are_short: bool, add: _Add) -> None:
    """No address may stand in a variable: what does is the code of a short link."""
    at = (*key, "variables", LINK)
    if not are_short:
        hint = "set [links] base in tintype.toml, or write the address into the approved template"
        add(at, "a variable holds no address, only the code of a short link", hint)
    elif longest is not None and longest < LENGTH:
        hint = "write the address into the approved template"
        add(at, f"the code of a short link has {LENGTH} characters, a variable may have {longest}", hint)


def _check_address(key: Place, address: str, add: _Add, *, alone: bool) -> None:
    """alone: nothing may follow the host and its port."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        add(key, f"'{address}' is no address", "write https:// and the host")
    elif alone and address.rstrip("/") != f"{parts.scheme}://{parts.netloc}":
        add(key, f"'{address}' is more than a host", f"write {parts.scheme}://{parts.netloc}")


def _check_twilio(provider: TwilioSettings, add: _Add) -> None:
    if not _SENDER.fullmatch(provider.sender):
        hint = "write a number with +, a sender id, or the SID of a messaging service"
        add(("sender",), f"'{provider.sender}' is no sender", hint)
    if not re.fullmatch(r"|[1-9][0-9]{0,2}", provider.country_code):
        hint = "write its digits, such as '86'"
        add(("country_code",), f"'{provider.country_code}' is no code of a country", hint)
    if provider.status_callback:
        _check_address(("status_callback",), provider.status_callback, add, alone=False)
