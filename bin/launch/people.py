"""The demo people, and the screen that introduces them."""

from launch.folders import DEMO

#: name, what they are, what to try as them
PEOPLE = (
    (
        "lin",
        "account manager",
        "win a customer, file and investigate an application, ask for the money",
    ),
    ("zhao", "second investigator", "sign Lin's investigation as the second pair of eyes"),
    ("sun", "risk reviewer", "give an opinion on a file under review"),
    ("qian", "approver", "approve or decline within a limit; try one above it"),
    ("wu", "disbursement officer", "tick off the conditions and release the money"),
    ("zhou", "branch manager", "see the whole branch, reassign work, close the business day"),
    ("he", "post-loan officer", "work the early warnings and cases to their end"),
    ("feng", "auditor", "read everything and its history, change nothing"),
    ("outsider", "account manager, other branch", "find out that none of this can be seen from there"),
)


def screen(address: str) -> str:
    """One screen: where it is, who can sign in and try what, and how to stop."""
    people = "\n".join(f"    {name:<9} {role:<30} {tries}" for name, role, tries in PEOPLE)
    return f"""
  Xiaowei is running:  {address}

  Sign in as one of these; the password of each is: demo
{people}

  API     {address}/api/v1/schema/
  Logs    {DEMO.logs}
  Stop    Ctrl-C. bin/demo goes on with the same data; bin/demo --reset starts over.
"""
