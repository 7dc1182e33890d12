"""What fit-weights, score-verdicts and run-scenarios share: lines of JSON, the truth of a scenario, the weights file, and bounds of
rates. Standard library only."""
import json
import math
import sys

LEVELS = ["benign", "watch", "suspicious", "high_risk", "malicious"]
HARMLESS = {"benign", "twin", "victim"}
AGAINST = {"standing", "human", "service", "anchor"}
HOUR_S = 3600


def lines(path):
    """Objects of a file with a JSON object a line; '-' is standard input."""
    with (sys.stdin if path == "-" else open(path, encoding="utf-8")) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    yield json.loads(line)
                except ValueError as why:
                    raise SystemExit(f"{path}:{number}: {why}") from None


class Truth:
    """Of one scenario: what each registered domain is, and the hosts that are told of beside."""

    def __init__(self, objects):
        self.domains, self.hosts = {}, {}
        for o in objects:
            (self.domains if o["scope"] == "domain" else self.hosts)[o["name"].lower()] = o

    def domain_of(self, name):
        """The registered domain a name is at or below, or None."""
        while name:
            if name in self.domains:
                return name
            name = name.partition(".")[2]
        return None


class Weights:
    """weights.tsv, kept line by line so that notes survive."""

    def __init__(self, text):
        self.rows = [line.split("\t") for line in text.splitlines()]
        self.intercept = float(next(r for r in self.rows if r[0] == "intercept")[1])
        groups = [r for r in self.rows if r[0] == "group"]
        self.weight = {r[1]: float(r[2]) for r in groups}
        self.cap = {r[1]: float(r[3]) for r in groups}
        self.level = {r[1]: float(r[2]) for r in self.rows if r[0] == "level"}

    def text(self, remark):
        out = []
        for row in self.rows:
            if row[0].startswith("# Not fitted") or row[0].startswith("# Fitted"):
                row = [f"# Fitted: {remark} scripts/fit-weights writes this file."]
            elif row[0] == "group" and float(row[2]) != self.weight[row[1]]:
                row = row[:2] + [f"{self.weight[row[1]]:.3g}"] + row[3:]
            out.append("\t".join(row))
        return "\n".join(out) + "\n"

    def values(self, groups):
        """Group name -> nats counted, with the sign that they have in the sum."""
        x = {}
        for group, strength in groups.items():
            if group not in self.cap:
                raise SystemExit(f"no group {group} in the weights")
            sign = -1 if group in AGAINST else 1
            value = min(self.cap[group], max(0.0, sign * strength))
            if value > 0:
                x[group] = sign * value
        return x

    def logit(self, x):
        return self.intercept + sum(self.weight[g] * v for g, v in x.items())


def sigmoid(z):
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def rate_upper(k, n, confidence=0.95):
    """The upper bound of a rate of which k of n were seen (Clopper and Pearson, 1934; one-sided)."""
    if n == 0 or k >= n:
        return 1.0

    def at_most_k(p):
        logs = [math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * math.log(p) + (n - i) * math.log1p(-p)
                for i in range(k + 1)]
        return sum(math.exp(v) for v in logs)
    low, high = k / n, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        if 0 < middle < 1 and at_most_k(middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high
