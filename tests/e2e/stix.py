"""A second opinion on STIX 2.1 bundles, written from the specification: what the OASIS schemas demand of the objects that feeds have."""
import re

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
ID = re.compile(rf"^[a-z][a-z0-9-]+[a-z0-9]--{UUID}$")
TIME = re.compile(r"^[0-9]{4}-(0[1-9]|1[012])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60)\.[0-9]{3}Z$")

STRING = r"'(?:[^'\\]|\\['\\])*'"
TEST = rf"(?:domain-name|ipv4-addr|ipv6-addr):value (?:=|LIKE|MATCHES|ISSUBSET) {STRING}"
PATTERN = re.compile(rf"^\[{TEST}(?: (?:AND|OR) {TEST})*\]$")  # the part of the grammar (9) that one observation needs

REQUIRED = {  # beyond type and id; of SDOs and SROs also spec_version, created, modified
    "identity": ["name"], "indicator": ["pattern", "pattern_type", "valid_from"], "malware": ["is_family"],
    "infrastructure": ["name"], "relationship": ["relationship_type", "source_ref", "target_ref"],
    "domain-name": ["value"], "ipv4-addr": ["value"], "ipv6-addr": ["value"],
}
OBSERVED = {"domain-name", "ipv4-addr", "ipv6-addr"}
ALLOWED = {
    "common": {"type", "spec_version", "id", "created_by_ref", "created", "modified", "revoked", "labels", "confidence", "lang",
               "external_references", "object_marking_refs", "granular_markings", "extensions"},
    "identity": {"name", "description", "roles", "identity_class", "sectors", "contact_information"},
    "indicator": {"name", "description", "indicator_types", "pattern", "pattern_type", "pattern_version", "valid_from", "valid_until",
                  "kill_chain_phases"},
    "malware": {"name", "description", "malware_types", "is_family", "aliases", "kill_chain_phases", "first_seen", "last_seen"},
    "infrastructure": {"name", "description", "infrastructure_types", "aliases", "kill_chain_phases", "first_seen", "last_seen"},
    "relationship": {"relationship_type", "description", "source_ref", "target_ref", "start_time", "stop_time"},
    "domain-name": {"value", "resolves_to_refs"}, "ipv4-addr": {"value"}, "ipv6-addr": {"value"},
}
VOCABULARIES = {
    "indicator_types": {"anomalous-activity", "anonymization", "benign", "compromised", "malicious-activity", "attribution", "unknown"},
    "infrastructure_types": {"amplification", "anonymization", "botnet", "command-and-control", "exfiltration", "hosting-malware",
                             "hosting-target-lists", "phishing", "reconnaissance", "staging", "unknown"},
    "identity_class": {"individual", "group", "system", "organization", "class", "unknown"},
}
RELATIONS = {  # the tables of 4.7 and 4.8, 4.11
    ("indicator", "indicates", "malware"), ("indicator", "indicates", "infrastructure"), ("malware", "uses", "infrastructure"),
    *(("infrastructure", "consists-of", kind) for kind in OBSERVED),
}


def check_object(o):
    kind = o["type"]
    assert kind in REQUIRED, o
    assert ID.match(o["id"]) and o["id"].startswith(kind + "--"), o
    assert o["spec_version"] == "2.1", o
    for key in REQUIRED[kind] + ([] if kind in OBSERVED else ["created", "modified"]):
        assert key in o, (key, o)
    assert set(o) <= ALLOWED["common"] | ALLOWED[kind], (set(o) - ALLOWED["common"] - ALLOWED[kind], o)
    for key in ("created", "modified", "valid_from", "valid_until"):
        assert key not in o or TIME.match(o[key]), (key, o)
    assert kind in OBSERVED or o["created"] <= o["modified"], o
    for key, words in VOCABULARIES.items():
        said = o.get(key, [])
        assert set([said] if isinstance(said, str) else said) <= words, (key, o)
    for key, value in o.items():
        assert value not in ("", [], {}), ("empty", key, o)  # lists must not be empty (2.7)
    for reference in o.get("external_references", []):
        assert reference["source_name"] and set(reference) & {"description", "url", "external_id"}, o
    assert 0 <= o.get("confidence", 0) <= 100, o


def check_indicator(o):
    assert o["pattern_type"] == "stix" and PATTERN.match(o["pattern"]), o["pattern"]
    assert "valid_until" not in o or o["valid_from"] < o["valid_until"], o


def check_bundle(bundle):
    """Returns its objects by type."""
    assert set(bundle) == {"type", "id", "objects"} and bundle["type"] == "bundle" and ID.match(bundle["id"]), bundle.keys()
    by_id, by_type = {}, {}
    for o in bundle["objects"]:
        check_object(o)
        assert o["id"] not in by_id, ("twice", o)
        by_id[o["id"]] = o
        by_type.setdefault(o["type"], []).append(o)
    for o in by_id.values():
        assert o["type"] == "identity" or o["type"] in OBSERVED or by_id[o["created_by_ref"]]["type"] == "identity", o
        if o["type"] == "relationship":
            ends = by_id[o["source_ref"]]["type"], o["relationship_type"], by_id[o["target_ref"]]["type"]
            assert ends in RELATIONS, ends
        if o["type"] == "indicator":
            check_indicator(o)
    return by_type
