"""The ledger of a database in comparable form: what it says, without ids, serials and wall-clock times."""
import sqlite3

IDENTITY = "(SELECT identity FROM campaign c WHERE c.id = {})"
PARTS = {
    "evidence": "SELECT name, scope, detector, step, weight, grp, summary, facts FROM evidence",
    "standing": "SELECT s.name, s.scope, s.detector, e.step, e.weight FROM standing s JOIN evidence e ON e.id = s.evidence",
    "verdict": f"SELECT name, scope, decided_at, level, score, {IDENTITY.format('campaign')}, reason FROM verdict",
    "current": "SELECT c.name, c.scope, c.level, v.decided_at FROM current_verdict c JOIN verdict v ON v.id = c.verdict",
    "campaign": f"SELECT identity, born, title, {IDENTITY.format('d.merged_into')}, merged_at, merged_why FROM campaign d",
    "member": f"SELECT {IDENTITY.format('campaign')}, name, joined, left, why FROM campaign_member",
    "indicator": "SELECT name, scope, level, score, categories, family, first_seen, decided_at, valid_until, state, reason,"
                 f" {IDENTITY.format('campaign')} FROM indicator",
    "change": "SELECT name, scope, at, was, now, author, reason FROM indicator_change",
    "funnel": "SELECT step, stage, reason, count FROM funnel",
}


def query(database, text, *values):
    with sqlite3.connect(database / "knowledge.db") as db:
        return db.execute(text, values).fetchall()


def parts(database, *names):
    """{part: sorted rows}; all parts without names."""
    return {name: sorted(query(database, PARTS[name]), key=repr) for name in names or PARTS}


def until(ledger, step):
    """Only what was said at or before a step; of the parts that grow."""
    at = {"evidence": 3, "verdict": 2, "funnel": 0}
    return {name: [row for row in ledger[name] if row[at[name]] <= step] for name in at}


def differences(one, other, limit=5):
    """Readable lines; empty when both say the same."""
    lines = []
    for name in one:
        a, b = set(one[name]), set(other[name])
        lines += [f"{name}, only the first: {row}" for row in sorted(a - b, key=repr)[:limit]]
        lines += [f"{name}, only the second: {row}" for row in sorted(b - a, key=repr)[:limit]]
        if a == b and len(one[name]) != len(other[name]):
            lines.append(f"{name}: {len(one[name])} and {len(other[name])} rows")
    return lines


def assert_same(one, other, what):
    found = differences(one, other)
    assert not found, what + "\n" + "\n".join(line[:400] for line in found)
