#!/usr/bin/env python3
"""An independent verifier of receipts: verify_receipt.py LOG_KEY RECEIPT.json...
Says of each receipt whether it holds. Needs no server and no part of Bailey; Ed25519 is python3-cryptography's,
SSH signatures are checked by stock ssh-keygen. LOG_KEY is the log's verifier key, `name+hash+base64`."""
import base64, datetime, hashlib, json, re, subprocess, sys, tempfile
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

def need(condition, why):
    if not condition: raise ValueError(why)

def canonical(v):  # RFC 8785
    if isinstance(v, dict):
        need(all(isinstance(k, str) for k in v), "a name that is no text")
        return "{" + ",".join(canonical(k) + ":" + canonical(v[k]) for k in sorted(v, key=lambda k: k.encode("utf-16-be"))) + "}"
    if isinstance(v, list): return "[" + ",".join(map(canonical, v)) + "]"
    need(not isinstance(v, float), "a number with a fraction")
    return json.dumps(v, ensure_ascii=False)

def sha(data): return hashlib.sha256(data).digest()
def digest(v): return "sha256:" + sha(canonical(v).encode()).hex()
def without(d, *names): return {k: v for k, v in d.items() if k not in names}
def when(text): return datetime.datetime.fromisoformat(text)
def duration(text):
    return datetime.timedelta(seconds=sum(int(n) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[u] for n, u in re.findall(r"(\d+)([smhd])", text)))

def ssh_keygen(action, allowed, signature, data, *more):
    with tempfile.NamedTemporaryFile("w") as signers, tempfile.NamedTemporaryFile("w") as armored:
        signers.write(allowed); signers.flush()
        body = base64.encodebytes(signature).decode()
        armored.write("-----BEGIN SSH SIGNATURE-----\n" + body + "-----END SSH SIGNATURE-----\n"); armored.flush()
        done = subprocess.run(["ssh-keygen", "-Y", action, "-f", signers.name, "-s", armored.name, *more], input=data, capture_output=True)
        return done.stdout.decode() if done.returncode == 0 else None

def opened(envelope, allowed):  # DSSE: the statement inside, and who signed it
    kind, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"], validate=True)
    need(kind == b"application/vnd.in-toto+json", "an envelope of another type")
    said = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    owners = set()
    for each in envelope["signatures"]:
        signature = base64.b64decode(each["sig"], validate=True)
        for owner in (ssh_keygen("find-principals", allowed, signature, said) or "").split():
            if ssh_keygen("verify", allowed, signature, said, "-I", owner, "-n", "bailey") is not None: owners.add(owner)
    need(owners, "an envelope that nobody known has signed")
    return json.loads(payload), owners

class Directory:
    def __init__(self, spec):
        self.people, self.services, self.groups = spec["people"], spec.get("services", {}), spec.get("groups", {})
        owners = [(n, p) for n, p in self.people.items()] + [("service:" + n, s) for n, s in self.services.items()]
        self.allowed = "".join(f'{n} namespaces="bailey" {k}\n' for n, o in owners for k in o.get("keys", []))
    def expand(self, subjects, control=False, seen=None):  # groups to members; with control, services to who stands behind them
        seen = set() if seen is None else seen
        for s in set(subjects) - seen:
            seen.add(s)
            if s.startswith("group:"): self.expand(self.groups.get(s[6:], []), control, seen)
            elif control and s.startswith("service:"): self.expand(self.services.get(s[8:], {}).get("controlledBy", []), control, seen)
        return {s for s in seen if not s.startswith("group:") and (control or s in self.people or s[8:] in self.services)}
    def by_address(self, address): return {n for n, p in self.people.items() if p.get("email", "").lower() == address.lower() != ""}

def filled(rules, agreed):  # whether different people fill all places: [(count, eligible)], by augmenting paths
    places, sits = [r for r in rules for _ in range(r[0])], {}
    def seat(person, tried):
        return any(person in p[1] and i not in tried and not tried.add(i) and (i not in sits or seat(sits[i], tried)) and not sits.update({i: person}) for i, p in enumerate(places))
    return sum(seat(p, set()) for p in sorted(agreed)) == len(places) and bool(rules) and all(r[0] > 0 for r in rules)

def verify(receipt, log_key):
    change, plan, policy, gate = receipt["change"], receipt["plan"], receipt["policy"], receipt["gate"]
    need(receipt["type"] == "urn:bailey:receipt:v1" and digest(without(receipt, "digest", "log")) == receipt["digest"], "the receipt was altered")
    need(digest(without(plan, "digest")) == plan["digest"] and digest(policy) == plan["policy_digest"], "plan or policy was altered")
    need((plan["environment"], plan["environment_uid"]) == (change["environment"], change["environment_uid"]) and plan["artifacts"] == receipt["artifacts"], "the plan is for something else")
    brought = {r.rpartition("@")[2] for r in plan["artifacts"].values()}
    need(set(receipt["introduces"]) <= brought | {plan["template_digest"]}, "it introduces what is not in the plan")
    def document(kind, name=None):
        found = [d["spec"] for d in policy["documents"] if d["kind"] == kind and name in (None, d["name"])]
        need(len(found) == 1, "the policy has not exactly one " + kind)
        return found[0]
    environment, directory, roles = document("Environment", change["environment"]), Directory(document("Directory")), document("Template")["roles"]
    conditions, at = environment.get("gate") or [], when(gate["evaluated_at"])
    need(environment["class"] == change["class"] and when(change["executed_at"]) >= at, "another class, or executed before it was judged")
    # Who may approve: whoever holds the power and is neither author nor behind requester or executor.
    statements = [opened(e, directory.allowed) for e in receipt["evidence"]]
    addresses = {a["email"] for a in change["authors"]}
    for statement, _ in statements:
        if statement["predicateType"] == "urn:bailey:authorship:v1":
            addresses |= {a for c in statement["predicate"]["commits"] for a in [*c["authors"], c["committer"]]}
    authors = {p for a in addresses for p in directory.by_address(a)} | {a["person"] for a in change["authors"]} - {""}
    executor = directory.expand([change["executor"]], control=True) if change["executor"] else set()
    involved = authors | executor | directory.expand([change["requester"]], control=True)
    holders = {r: directory.expand(b) for r, b in environment.get("bindings", {}).items()}
    with_power = lambda power: {p for r, people in holders.items() if power in roles.get(r, {}).get("powers", []) for p in people}
    eligible = (with_power("approve") & set(directory.people)) - involved
    # What each approval binds, made from the receipt; the rest of the predicate is the approver's own.
    written = sorted(a["email"] or a["person"] for a in change["authors"])
    asked = {"id": change["id"], "environment_uid": change["environment_uid"], "kind": change["kind"], "plan": plan["digest"], "artifacts": plan["artifacts"],
             "rolls_back_to": change.get("rolls_back_to", ""), "requester": change["requester"], "authors": written}
    bound = {"change": {"id": change["id"], "digest": digest(asked)}, "environment": {"name": change["environment"], "uid": change["environment_uid"], "class": change["class"]},
             **{n: {"digest": plan[n + "_digest"]} for n in ("spec", "policy", "template")}, "plan": {"digest": plan["digest"]}, "state": {"serial": plan["state_serial"]},
             "gate": {"digest": digest(environment.get("gate"))}, "evidence": sorted(map(digest, receipt["evidence"])), "artifacts": plan["artifacts"], "authors": written, "requester": change["requester"]}
    subjects = [(r.rpartition("@")[0], r.rpartition("@")[2]) for _, r in sorted(plan["artifacts"].items())] + [("plan", plan["digest"])]
    nonces, last = set(), {}
    for statement, owners in (opened(e, directory.allowed) for e in receipt["approvals"]):
        said = statement["predicate"]
        own = {k: said[k] for k in ("decision", "reason", "log", "actingRole", "approver", "issuedAt", "notBefore", "expiresAt", "nonce")}
        need(statement["predicateType"] == "urn:bailey:approval:v1" and own["approver"] in owners, "an approval that its approver has not signed")
        need(said == {**own, **bound} and [(s["name"], "sha256:" + s["digest"]["sha256"]) for s in statement["subject"]] == subjects, "an approval of something else")
        need(own["nonce"] and own["nonce"] not in nonces, "a nonce that was used twice")
        nonces.add(own["nonce"])
        may = "approve" in roles.get(own["actingRole"], {}).get("powers", []) and own["approver"] in holders.get(own["actingRole"], ())
        if may and own["approver"] in eligible and max(when(own["issuedAt"]), when(own["notBefore"])) <= at < when(own["expiresAt"]):
            need(own["decision"] != "reject", "somebody had rejected it")
            if own["approver"] not in last or when(own["issuedAt"]) >= last[own["approver"]][1]: last[own["approver"]] = (own["decision"], when(own["issuedAt"]))
    agreed = lambda expire: {p for p, (decision, issued) in last.items() if decision == "approve" and at < issued + expire}
    # The gate: every condition was judged and met, and what can be judged again is.
    need(gate["met"] is True and gate["rejected"] is False and all(c["met"] is True for c in gate["conditions"]), "the gate did not let it through")
    need([c["condition"] for c in gate["conditions"][:len(conditions)]] == [k for c in conditions for k in c], "other conditions were judged than the gate has")
    longest = datetime.timedelta(0)
    for kind, body in (item for c in conditions for item in c.items()):
        if kind in ("verified", "soak"):
            soaked = {v["digest"] for v in gate["inputs"]["verified"] if v["environment"] == body["in"] and when(v["since"]) + duration(body.get("for", "0s")) <= at}
            need(brought & set(receipt["introduces"]) <= soaked, "something was not verified before, or not long enough")
        elif kind == "approvals":
            expire = duration(body.get("expire", "72h"))
            longest = max(longest, expire)
            need(filled([(r.get("count", 1), directory.expand([r["from"]]) & eligible) for r in body["rules"]], agreed(expire)), "too few different people approved it")
        elif kind == "evidence":
            by = directory.expand(body["signedBy"])
            for d in brought:
                need(any(s["predicateType"] == body["type"] and owners & by and any("sha256:" + x["digest"]["sha256"] == d for x in s["subject"]) for s, owners in statements), "evidence is missing")
    need(len(agreed(longest)) >= {"production": 2, "staging": 1}.get(change["class"], 0), "fewer people approved it than its class demands")
    by_operator = environment.get("execute") == "by-operator"
    need(not by_operator or change["executor"] in with_power("deploy") and executor and not executor & authors, "executed by nobody who may")
    need(receipt["verification"] or not environment.get("verify") or change["kind"] == "destroy", "the verification is missing")
    for p in (s["predicate"] for s in receipt["verification"]):
        need(p["environment"] == {"name": change["environment"], "uid": change["environment_uid"]} and (p["change"], p["plan"]) == (change["id"], plan["digest"]), "a verification of something else")
        need(p["passed"] is True and all(r["exitCode"] == 0 for r in p["results"]), "a verification did not pass")
    verify_log(receipt["log"], receipt["digest"], log_key)

def verify_log(log, receipt, log_key):  # C2SP signed note and checkpoint, RFC 9162 2.1.3.2
    name, _, key = log_key.split("+", 2)
    text, _, signatures = log["checkpoint"].rpartition("\n\n")
    public = base64.b64decode(key)
    key_id = sha(name.encode() + b"\n" + public)[:4]
    ours = [base64.b64decode(l.split()[2]) for l in signatures.splitlines() if l.startswith(f"\u2014 {name} ")]
    need(any(s[:4] == key_id for s in ours), "the log's head is not signed with its key")
    for s in ours: Ed25519PublicKey.from_public_bytes(public[1:]).verify(s[4:], (text + "\n").encode())
    origin, size, root = text.splitlines()[:3]
    need(origin == name and json.loads(log["entry"])["digests"]["receipt"] == receipt, "the entry in the log is about something else")
    index, last, node = log["index"], int(size) - 1, sha(b"\0" + log["entry"].encode())
    need(0 <= index <= last, "the entry is beyond the log")
    for sibling in map(base64.b64decode, log["proof"]):
        need(last > 0 and len(sibling) == 32, "the proof is too long")
        if index & 1 or index == last:
            node = sha(b"\1" + sibling + node)
            while not index & 1 and index: index, last = index >> 1, last >> 1
        else: node = sha(b"\1" + node + sibling)
        index, last = index >> 1, last >> 1
    need(last == 0 and node == base64.b64decode(root), "the entry is not in the log")

def main():
    bad = 0
    for path in sys.argv[2:]:
        try:
            verify(json.load(open(path, encoding="utf-8")), sys.argv[1])
            print("holds", path)
        except Exception as why:  # Whatever cannot be read or checked does not hold.
            bad += 1
            print("refused", path, f"{type(why).__name__}: {why}".replace("\n", " "))
    return 1 if bad else 0

if __name__ == "__main__":
    sys.exit(main())
