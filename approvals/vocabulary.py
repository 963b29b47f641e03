"""Words for what stands in the record only as a code: states and events of this app, named here for translation."""

from django.utils.translation import pgettext_lazy

from branch.words import name_events

STATES = (
    pgettext_lazy("state", "review.open"),
    pgettext_lazy("state", "review.decided"),
    pgettext_lazy("state", "review.cancelled"),
    pgettext_lazy("state", "review_stage.waiting"),
    pgettext_lazy("state", "review_stage.claimed"),
    pgettext_lazy("state", "review_stage.done"),
    pgettext_lazy("state", "review_stage.skipped"),
)
name_events(
    {
        "review.create": pgettext_lazy("event", "opened a review"),
        "review.decide": pgettext_lazy("event", "decided the review"),
        "review.cancel": pgettext_lazy("event", "cancelled the review"),
        "review_stage.create": pgettext_lazy("event", "opened a review stage"),
        "review_stage.claim": pgettext_lazy("event", "took the file"),
        "review_stage.release_claim": pgettext_lazy("event", "put the file back"),
        "review_stage.finish": pgettext_lazy("event", "gave an opinion"),
        "review_stage.skip": pgettext_lazy("event", "skipped a review stage"),
        "authority.grant": pgettext_lazy("event", "granted an authority"),
        "authority.end": pgettext_lazy("event", "took an authority back"),
    }
)
