"""What the schema says of its types, fields and arguments, where their own declarations say nothing.

A key is ``Type``, ``Type.field`` or ``Type.field(argument)``; one that begins with the dot or the bracket says the
same of every type that has no sentence of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import strawberry

SENTENCES = {
    "UUID": "A UUID in its usual form, with hyphens.",
    "(first)": "Most items of the page, from 1 on.",
    "(after)": "The cursor of the last item that was seen; null: from the start.",
    "(filter)": "What the list is narrowed to.",
    "(id)": "The id of what is asked for.",
    ".errors": "What stood in the way, in a form that a program can act on; empty where nothing did.",
    ".pageInfo": "Whether there is more, and how to ask for it.",
    ".cursor": "What after takes to go on behind this item.",
    ".code": "For programs; it does not change.",
    ".message": "For people, with what to do about it.",
    ".index": "Place in what was sent, from 0.",
    ".purpose": "What is allowed or not.",
    # the catalogue
    "Product": "Something that the shop sells.",
    "Product.sku": "The shop's own name of it.",
    "Product.title": "Its name, in the language of the request where there is one.",
    "Product.description": "What is told of it, in the language of the request where there is one.",
    "Product.price": "What it costs, the same for everyone; null where it is not told.",
    "Product.currency": "Of the price, ISO 4217.",
    "Product.inStock": "Whether it can be bought now.",
    "Product.category": "Where it stands; null where it stands nowhere.",
    "Product.brand": "Who makes it; null where it is not told.",
    "Product.url": "Its page in the demo shop; null where that is not installed.",
    "Product.imageUrl": "Its picture in the demo shop; null where that is not installed.",
    "Category": "A shelf of the shop, in a tree of them.",
    "Category.name": "Its own name.",
    "Category.path": "The names from the root to it.",
    "Category.slug": "What ProductFilter.category takes.",
    "ProductConnection": "A page of products.",
    "ProductConnection.edges": "Its products, in order.",
    "ProductEdge": "A product of a page.",
    "ProductEdge.node": "The product.",
    "ProductFilter": "What a list is narrowed to; all that is given must hold.",
    "ProductFilter.category": "The slug of a category; what stands below it belongs to it.",
    "ProductFilter.brand": "The name of a brand.",
    "ProductFilter.priceMin": "Products that cost this or more.",
    "ProductFilter.priceMax": "Products that cost this or less.",
    "ProductFilter.inStock": "Products that can be bought now; lists show no others anyway.",
    # lists
    "RecommendationConnection": "A list that was made for this request, with its reasons.",
    "RecommendationConnection.slateId": "Names the list: what events and feedback that answer it carry.",
    "RecommendationConnection.personalised": "Whether it follows from what the shopper did.",
    "RecommendationConnection.edges": "Its items, best first.",
    "RecommendationEdge": "An item of a list.",
    "RecommendationEdge.node": "The product.",
    "RecommendationEdge.rank": "Its place in the list, from 1; it goes on from page to page.",
    "RecommendationEdge.score": "What it is ordered by: the sum of its reasons' points.",
    "RecommendationEdge.reasons": "Why it is here: the terms of its score, those that count most first.",
    "RecommendationContext": "Where the list is shown.",
    "RecommendationContext.products": "Products that the list is about: the one of the page, or those in the cart.",
    "Reason.kind": "What the term comes from.",
    "Reason.text": "The same for the shopper, in the language of the request.",
    "Reason.evidence": "Products that the shopper did something with, and that this follows from.",
    "PageInfo": "Whether a list goes on.",
    "PageInfo.hasNextPage": "Whether there is more.",
    "PageInfo.hasPreviousPage": "Whether something came before; there is no way back but to ask again.",
    "PageInfo.startCursor": "The cursor of the first item; null of an empty page.",
    "PageInfo.endCursor": "What after takes to go on; null of an empty page.",
    "RecommendationPolicy.personalised": "Whether lists follow from what this shopper does.",
    "RecommendationPolicy.parameters": "What decides, most important first.",
    "PolicyParameter.name": "For programs; it does not change.",
    "Query.recommendations(placement)": "A named spot in the shop.",
    "Query.recommendations(context)": "Where the list is shown.",
    "Query.similarProducts": "Products like one that is looked at.",
    "Query.similarProducts(product)": "The id of the product that is looked at.",
    "Query.boughtTogether": "Products that others bought with these.",
    "Query.boughtTogether(products)": "The ids of what is in the cart.",
    "Query.buyAgain": "What this shopper buys again and again, and when it is due.",
    "Query.product": "One product, by its id or by its sku; null where it is not shown.",
    "Query.product(sku)": "The shop's own name of it.",
    "Query.products": "The catalogue, by title.",
    "Query.products(search)": "Words to look for in titles, descriptions, brands and keywords.",
    "Query.categories": "Every shelf of the shop.",
    "Query.portraitEvidence(kind)": "What it counts: category, brand, keyword, type, channel, price, hour or spent.",
    "Query.portraitEvidence(key)": "Which of them, as the portrait names it.",
    "Query.compare(version)": "The id of a version.",
    "Query.compare(other)": "The id of another one of the same recommender.",
    # the shopper
    "Shopper": "Whoever asks.",
    "Shopper.id": "Opaque; null of a stranger, of whom nothing is kept.",
    "Shopper.consents": "What they decided, for each purpose.",
    "Shopper.links": "Visits from before a sign-in that count as theirs.",
    "ConsentState": "What a shopper decided on one purpose.",
    "ConsentState.granted": "Whether it is allowed; never before they said so.",
    "ConsentStatement.version": "What updateConsent takes in shown.",
    "ConsentStatement.text": "What to show before asking.",
    "ConsentStatement.since": "From when on it is the one in force.",
    "VisitorLink.id": "What undoLink takes.",
    "VisitorLink.linkedAt": "When the visitor signed in.",
    "Portrait": "What is believed of a shopper: counted from their events, and theirs to edit.",
    "Portrait.segmentName": "The segment in plain words, in the language of the request.",
    "Portrait.drawnAt": "When it last changed.",
    "Portrait.firstSeen": "Their first event; null where there is none.",
    "Portrait.ageBand": "As they gave it; else empty.",
    "Portrait.gender": "As they gave it; else empty.",
    "Portrait.region": "As they gave it; else empty.",
    "Portrait.events": "How many events it was counted from.",
    "Portrait.orders": "How many orders.",
    "Portrait.activeHours": "Hours of the day in which they shop, 0 to 23.",
    "Portrait.channels": "Where they shop, most first.",
    "Portrait.channelCounts": "Events by channel, most first.",
    "Portrait.priceBands": "What they pay, by category.",
    "Portrait.interests": "What they like, most first.",
    "CountOf": "How often something occurs.",
    "CountOf.key": "What.",
    "CountOf.n": "How often.",
    "Money": "An amount in its own currency.",
    "Money.amount": "How much.",
    "Money.currency": "ISO 4217.",
    "MonthSpent": "What was spent in a month.",
    "PriceBand.category": "The name of the category.",
    "PriceBand.currency": "ISO 4217.",
    "PriceBand.typical": "Half of the pieces cost less.",
    "PriceBand.pieces": "Pieces it was counted from.",
    "Interest": "Something that a shopper likes: a category, a brand or a word.",
    "Interest.kind": "category, brand or keyword.",
    "EvidenceEvent": "An event behind a number.",
    "EvidenceEvent.type": "What happened.",
    "EvidenceEvent.occurredAt": "When it happened.",
    "EvidenceEvent.query": "Of a search, its words; else empty.",
    "EvidenceEvent.quantity": "Pieces.",
    "EvidenceEvent.amount": "What was paid; null where it is not known.",
    "InterestKey": "One interest, as the portrait names it.",
    "InterestKey.kind": "category, brand or keyword.",
    "InterestKey.key": "Its key.",
    "InterestsInput": "What a shopper makes of their interests.",
    "InterestsInput.pin": "Recommend more of these.",
    "InterestsInput.block": "Recommend nothing of these.",
    "InterestsInput.hide": "Let no list follow from these.",
    "InterestsInput.clear": "Forget what was said of these.",
    "PortraitPayload": "The portrait after an edit.",
    "PortraitPayload.portrait": "As it is now; null where nothing was edited.",
    # what shoppers do and say
    "Query": "What can be asked for.",
    "Mutation": "What changes something.",
    "Mutation.trackEvents(events)": "What happened, in any order.",
    "Mutation.giveFeedback(input)": "What is said of which product.",
    "Mutation.updateConsent(input)": "What is decided.",
    "Mutation.undoLink(link)": "The id of the link.",
    "Mutation.editInterests": "Pin, block, hide or clear interests; it counts in the next list.",
    "Mutation.editInterests(input)": "Which interests, and what of them.",
    "Mutation.eraseMe(confirm)": "Must be true: nothing of it can be undone.",
    "Mutation.upsertProducts(products)": "As they are now.",
    "Mutation.deleteProducts(skus)": "Which ones, by the shop's own names.",
    "Mutation.deleteProducts(deletedAt)": "When, by your clock; an older account changes nothing. Null: now.",
    "Mutation.setRecommenderEnabled(kind)": "Which one.",
    "Mutation.setRecommenderEnabled(enabled)": "Whether it takes part from now on.",
    "Mutation.setPlacement(input)": "What changes of which placement.",
    "Mutation.startTraining(kind)": "Which recommender learns anew.",
    "Mutation.cancelTraining(run)": "The id of the run.",
    "Mutation.promote(version)": "The id of the version.",
    "Mutation.promote(why)": "Kept with the promotion; must say something.",
    "Mutation.rollback(kind)": "Of which recommender.",
    "Mutation.reviewFeedback(feedback)": "The ids of what is reviewed.",
    "Mutation.reviewFeedback(verdict)": "What is thought of it.",
    "EventInput": "Something that a shopper did. Sent twice under one id, it counts once.",
    "EventInput.id": "Made by whoever sends it, once for each event.",
    "EventInput.type": "What happened.",
    "EventInput.shopper": "Whose it is, by the shop's own id: for servers. A browser's are its own.",
    "EventInput.product": "The id of the product, where it is about one.",
    "EventInput.sku": "The same by the shop's own name.",
    "EventInput.order": "The order that it belongs to.",
    "EventInput.occurredAt": "When it happened; null: now.",
    "EventInput.quantity": "Pieces; null: one.",
    "EventInput.price": "Of one piece: for servers.",
    "EventInput.currency": "Of the price, ISO 4217; null: the shop's.",
    "EventInput.rating": "Of a rating, 0 to 5.",
    "EventInput.text": "Of a review, its text.",
    "EventInput.query": "Of a search, its words.",
    "EventInput.channel": "Where it happened; null: on the web.",
    "EventInput.slateId": "The list that it answers, if any.",
    "TrackEventsPayload": "What became of the events.",
    "TrackEventsPayload.accepted": "How many were stored; they are, for good, once this is answered.",
    "TrackEventsPayload.duplicates": "How many had been stored before.",
    "TrackEventsPayload.rejected": "Those that were not, and why.",
    "EventRejection": "An event that was not stored.",
    "FeedbackInput": "What a shopper says of a recommended product.",
    "FeedbackInput.product": "The id of the product.",
    "FeedbackInput.kind": "What they say.",
    "FeedbackInput.slateId": "The list that they say it of, if any.",
    "FeedbackPayload": "What became of the feedback.",
    "FeedbackPayload.ok": "Whether it is kept.",
    "Problem": "Something that stood in the way.",
    "Problem.field": "The field of the input that it is about; empty where it is about none.",
    "ConsentInput": "What a shopper decides; what is left out stays.",
    "ConsentInput.personalisation": "Whether lists may follow from what they do.",
    "ConsentInput.training": "Whether models may learn from it.",
    "ConsentInput.analytics": "Whether the shop may count it.",
    "ConsentInput.shown": "The statements that they read before.",
    "ConsentPayload": "What a shopper allows after a decision.",
    "ConsentPayload.consents": "For each purpose.",
    "ShownStatement.version": "Of the statement.",
    "ShownStatement.language": "In which it was read.",
    "LinksPayload": "The links that are left.",
    "LinksPayload.links": "Visits from before a sign-in that still count as this shopper's.",
    "ExportPayload": "Where all that is known of a shopper can be fetched.",
    "ErasePayload": "What is left of a shopper: a receipt.",
    "ErasePayload.receipt": "The id of the receipt; null where nothing was erased.",
    # what the shop's servers write
    "CataloguePayload": "What became of the rows.",
    "CataloguePayload.stored": "How many were stored.",
    "CataloguePayload.rejected": "Those that were not, and why.",
    "RowRejection": "A row that was not stored.",
    "RowRejection.sku": "Of the row, as it was sent.",
    "RowRejection.field": "The field that is wrong; empty where it is the row.",
    "ProductInput": "A product as it is now.",
    "ProductInput.sku": "The shop's own name of it; the same again is the same product.",
    "ProductInput.title": "Its name in the shop's own language.",
    "ProductInput.description": "What is told of it.",
    "ProductInput.brand": "Who makes it.",
    "ProductInput.currency": "Of the price, ISO 4217; empty: the shop's.",
    "ProductInput.attributes": "More that is known of it, by name; what is alike is recommended with it.",
    "ProductInput.translations": "Its name and text in other languages.",
    "TranslationInput": "A product in another language.",
    "TranslationInput.title": "Its name.",
    "TranslationInput.description": "What is told of it.",
}


def describe(schema: strawberry.Schema) -> None:
    """Give every part of the schema that says nothing of itself its sentence."""
    for owner, part in _parts(schema):
        if not part.description:
            part.description = SENTENCES.get(owner) or SENTENCES.get(_of_any(owner))


def undescribed(schema: strawberry.Schema) -> list[str]:
    """The parts that nothing is said of."""
    return [owner for owner, part in _parts(schema) if not part.description]


def unused(schema: strawberry.Schema) -> set[str]:
    """Sentences about what is not there."""
    names = {owner for owner, _ in _parts(schema)}
    return SENTENCES.keys() - names - {_of_any(name) for name in names}


def _of_any(owner: str) -> str:
    """The end of a name that says the same of every type."""
    return "(" + owner.partition("(")[2] if "(" in owner else "." + owner.partition(".")[2]


def _parts(schema: strawberry.Schema) -> Iterator[tuple[str, Any]]:
    for name, type_ in schema._schema.type_map.items():
        if name.startswith("__"):
            continue
        yield name, type_
        for field_name, field in getattr(type_, "fields", {}).items():
            yield f"{name}.{field_name}", field
            for argument, of in getattr(field, "args", {}).items():
                yield f"{name}.{field_name}({argument})", of
