"""Words for what stands in the record only as a code: states and events of this app, named here for translation."""

from django.utils.translation import pgettext_lazy

from branch.words import name_events

STATES = (
    pgettext_lazy("state", "new"),
    pgettext_lazy("state", "contacted"),
    pgettext_lazy("state", "qualified"),
    pgettext_lazy("state", "converted"),
    pgettext_lazy("state", "lost"),
    pgettext_lazy("state", "cluster.draft"),
    pgettext_lazy("state", "cluster.submitted"),
    pgettext_lazy("state", "cluster.active"),
    pgettext_lazy("state", "cluster.suspended"),
    pgettext_lazy("state", "cluster.closed"),
    pgettext_lazy("state", "record_import.draft"),
    pgettext_lazy("state", "record_import.running"),
    pgettext_lazy("state", "record_import.done"),
    pgettext_lazy("state", "record_import.refused"),
    pgettext_lazy("state", "record_import.discarded"),
)
name_events(
    {
        "metric.create": pgettext_lazy("event", "added a metric"),
        "metric.update": pgettext_lazy("event", "changed a metric"),
        "lead.capture": pgettext_lazy("event", "took in the lead"),
        "lead.update": pgettext_lazy("event", "changed the lead"),
        "lead.contact": pgettext_lazy("event", "spoke to the lead"),
        "lead.qualify": pgettext_lazy("event", "found the lead fit"),
        "lead.convert": pgettext_lazy("event", "made the lead a customer"),
        "lead.lose": pgettext_lazy("event", "marked the lead lost"),
        "lead.reopen": pgettext_lazy("event", "reopened the lead"),
        "lead.reassign": pgettext_lazy("event", "handed the lead over"),
        "customer.create": pgettext_lazy("event", "put the customer on file"),
        "customer.update": pgettext_lazy("event", "changed the customer's data"),
        "customer.update_personal": pgettext_lazy("event", "changed personal data"),
        "customer.reassign": pgettext_lazy("event", "handed the customer over"),
        "customer.reveal": pgettext_lazy("event", "looked at personal data"),
        "cluster.create": pgettext_lazy("event", "took on the cluster"),
        "cluster.update": pgettext_lazy("event", "changed the cluster"),
        "cluster.evaluate": pgettext_lazy("event", "judged the cluster and proposed its caps"),
        "cluster.submit": pgettext_lazy("event", "submitted the cluster"),
        "cluster.send_back": pgettext_lazy("event", "sent the cluster back"),
        "cluster.activate": pgettext_lazy("event", "set the cluster's caps in force"),
        "cluster.approve_cap": pgettext_lazy("event", "set the new caps in force"),
        "cluster.suspend": pgettext_lazy("event", "suspended the cluster"),
        "cluster.resume": pgettext_lazy("event", "resumed the cluster"),
        "cluster.close": pgettext_lazy("event", "closed the cluster"),
        "cluster.take_in": pgettext_lazy("event", "took in members of the cluster"),
        "clustermember.replace": pgettext_lazy("event", "replaced the member's facts"),
        "record_import.create": pgettext_lazy("event", "sent in a file of outside facts"),
        "record_import.start": pgettext_lazy("event", "had the rows taken in"),
        "record_import.discard": pgettext_lazy("event", "dropped the file"),
        "record_import.finish": pgettext_lazy("event", "took the rows in"),
        "record_import.refuse": pgettext_lazy("event", "refused the file"),
        "recordsource.create": pgettext_lazy("event", "registered the source"),
        "recordsource.update": pgettext_lazy("event", "changed the source"),
        "recordsource.map_firms": pgettext_lazy("event", "named firms of the source"),
        "customer.receive_records": pgettext_lazy("event", "took in outside figures"),
    }
)
