"""``tintype text``: how a template reads for real customers."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import typer

from app import exits
from app.commands.options import Json, ShopFolder
from app.inspect import known_customer, name_of
from app.load import load_shop
from app.output import page, print_json
from streams.errors import InputError


def text(
    shop: ShopFolder,
    template: Annotated[
        str, typer.Argument(metavar="CHANNEL/TEMPLATE", help="of channels.yaml, such as sms/welcome")
    ],
    customer: Annotated[
        list[str] | None,
        typer.Option("--customer", help="this one (type:value or id), again for more; twenty when absent"),
    ] = None,
    language: Annotated[
        Literal["zh", "en"] | None,
        typer.Option("--language", help="all in this language; each customer's own when absent"),
    ] = None,
    json: Json = False,
) -> int:
    """Show how a template reads for real customers, with what they have now; nothing is sent.

    Twenty customers whom its trigger concerns, or those named: each text as it would go out, how an SMS is
    charged and what that costs, and what is missing where it would be held back. Guards are not asked. The
    texts are those of the folder, so a change can be looked at before the shop knows of it.
    """
    from app.pages.texts import summary, texts_table
    from app.runtime import open_shop
    from app.sending.addresses import address_of, readable_of
    from app.texts_read import as_json, find_template, in_language, read_texts

    declared = load_shop(shop)
    channel, name = find_template(declared, template)
    if language is not None:
        declared = in_language(declared, channel, name, language)
    with open_shop(shop) as runtime:
        runtime.catch_up()
        log = runtime.log
        whom = [known_customer(log, one) for one in customer or []]
        found = read_texts(
            declared, runtime.engine, channel, name, whom, partial(address_of, log),
            partial(readable_of, log, declared),
        )  # fmt: skip
        if not found:
            raise InputError(str(shop), "there are no customers yet", "import history first")
        called = partial(name_of, log)
        if json:
            print_json({"template": template, "texts": [as_json(one, called(one.customer)) for one in found]})
            return exits.OK
        page.print(texts_table(found, called))
        page.print(summary(found, declared.settings.currency), markup=False, soft_wrap=True)
    return exits.OK
