#!/usr/bin/env python3
"""An independent verifier: verify_receipt.py LOG_KEY RECEIPT.json... says of each receipt whether it holds. It needs no
server and no part of Bailey: Ed25519 is python3-cryptography's, SSH signatures are checked by stock ssh-keygen."""
import base64, datetime, hashlib, json, re, subprocess, sys, tempfile
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

def need(condition, why):
    if not condition: raise ValueError(why)
def canonical(v):  # RFC 8785
    if isinstance(v, dict): return "{" + ",".join(canonical(k) + ":" + canonical(v[k]) for k in sorted(v, key=lambda k: k.encode("utf-16-be"))) + "}"
    if isinstance(v, list): return "[" + ",".join(map(canonical, v)) + "]"
    need(not isinstance(v, float), "a number with a fraction")
    return json.dumps(v, ensure_ascii=False)
def sha(data): return hashlib.sha256(data).digest()
def digest(v): return "sha256:" + sha(canonical(v).encode()).hex()
def without(d, *names): return {k: v for k, v in d.items() if k not in names}
def when(text): return datetime.datetime.fromisoformat(text)
def seconds(text): return datetime.timedelta(seconds=sum(int(n) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[u] for n, u in re.findall(r"(\d+)([smhd])", text)))

def ssh_keygen(action, allowed, signature, said, *more):
    with tempfile.NamedTemporaryFile("w") as signers, tempfile.NamedTemporaryFile("w") as armored:
        print(allowed, file=signers, flush=True)
        print("-----BEGIN SSH SIGNATURE-----\n" + base64.encodebytes(signature).decode() + "-----END SSH SIGNATURE-----", file=armored, flush=True)
        done = subprocess.run(["ssh-keygen", "-Y", action, "-f", signers.name, "-s", armored.name, *more], input=said, capture_output=True)
        return done.stdout.decode().split("\n") if done.returncode == 0 else []

def opened(envelope, allowed):  # DSSE: the statement inside, and who has signed it
    kind, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"], validate=True)
    said = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    signatures = [base64.b64decode(s["sig"], validate=True) for s in envelope["signatures"]]
    owners = {o for s in signatures for o in ssh_keygen("find-principals", allowed, s, said) if o and ssh_keygen("verify", allowed, s, said, "-I", o, "-n", "bailey")}
    need(kind == b"application/vnd.in-toto+json" and owners, "an envelope that nobody known has signed")
    return json.loads(payload), owners

class Directory:
    def __init__(self, spec):
        self.people, self.services, self.groups = spec["people"], spec["services"], spec["groups"]
        owners = [*self.people.items(), *(("service:" + n, s) for n, s in self.services.items())]
        self.allowed = "".join(f'{n} namespaces="bailey" {k}\n' for n, o in owners for k in o.get("keys", []) if not k.startswith("-----"))
    def expand(self, subjects, control=False):  # Groups to their members; with control, services to those behind them.
        seen, todo = set(), list(subjects)
        while todo:
            s = todo.pop()
            if s not in seen and s.startswith("group:"): todo += self.groups.get(s[6:], [])
            elif s not in seen and control and s.startswith("service:"): todo += self.services.get(s[8:], {}).get("controlledBy", [])
            seen.add(s)
        return {s for s in seen if control or s in self.people or s.startswith("service:") and s[8:] in self.services}

def filled(rules, agreed):  # Whether different people fill the places of all rules, (count, people): by augmenting paths.
    places, sits = [people for count, people in rules for _ in range(count)], {}
    def seat(person, tried):
        for i, people in enumerate(places):
            if person in people and i not in tried:
                tried.add(i)
                if i not in sits or seat(sits[i], tried):
                    sits[i] = person
                    return True
        return False
    return all(count > 0 for count, _ in rules) and bool(rules) and sum(seat(p, set()) for p in sorted(agreed)) == len(places)

def verify(receipt, log_key):
    change, plan, policy, gate = receipt["change"], receipt["plan"], receipt["policy"], receipt["gate"]
    need(receipt["type"] == "urn:bailey:receipt:v1" and digest(without(receipt, "digest", "log")) == receipt["digest"], "the receipt was altered")
    need(digest(without(plan, "digest")) == plan["digest"] and digest(policy) == plan["policy_digest"], "plan or policy was altered")
    need([plan["environment"], plan["environment_uid"], plan["artifacts"]] == [change["environment"], change["environment_uid"], receipt["artifacts"]], "the plan is for something else")
    brought = {r.rpartition("@")[2] for r in plan["artifacts"].values()}
    need(set(receipt["introduces"]) <= brought | {plan["template_digest"]}, "it introduces what is not in the plan")
    def document(kind, name=None):
        found = [d["spec"] for d in policy["documents"] if d["kind"] == kind and name in (None, d["name"])]
        need(len(found) == 1, "the policy has not exactly one " + kind)
        return found[0]
    people = [d["spec"] for d in policy["documents"] if d["kind"] == "Directory"]  # One Directory, in one document or several.
    directory = Directory({part: {n: v for d in people for n, v in d.get(part, {}).items()} for part in ("people", "services", "groups")})
    environment, roles = document("Environment", change["environment"]), document("Template")["roles"]
    conditions, at = environment.get("gate") or [], when(gate["evaluated_at"])
    need(environment["class"] == change["class"] and when(change["executed_at"]) >= at, "another class, or executed before it was judged")
    # Who may approve: holders of the power, but no author, nobody behind requester or executor, nobody whose rights it changes.
    statements = [opened(e, directory.allowed) for e in receipt["evidence"]]
    commits = [c for s, _ in statements if s["predicateType"] == "urn:bailey:authorship:v1" for c in s["predicate"]["commits"]]
    addresses = {a.lower() for c in commits for a in (*c["authors"], c["committer"])} | {a["email"].lower() for a in change["authors"]} - {""}
    authors = {n for n, p in directory.people.items() if p.get("email", "").lower() in addresses} | {a["person"] for a in change["authors"]}
    executor = directory.expand([change["executor"]], control=True) if change["executor"] else set()
    involved = authors | executor | directory.expand([change["requester"]], control=True) | set(change["affects"])
    holders = {role: directory.expand(subjects) for role, subjects in environment.get("bindings", {}).items()}
    gives = lambda role, power: power in roles.get(role, {}).get("powers", [])
    eligible = {p for role, people in holders.items() if gives(role, "approve") for p in people & set(directory.people)} - involved
    # What every approval binds, made from the receipt; the rest of the predicate is the approver's own to say.
    written = sorted(a["email"] or a["person"] for a in change["authors"])
    asked = {"plan": plan["digest"], "artifacts": plan["artifacts"], "authors": written, **{n: change[n] for n in ("id", "environment_uid", "kind", "rolls_back_to", "affects", "requester")}}
    bound = {"change": {"id": change["id"], "digest": digest(asked)}, "environment": {"name": change["environment"], "uid": change["environment_uid"], "class": change["class"]},
             **{n: {"digest": plan[n + "_digest"]} for n in ("spec", "policy", "template")}, "plan": {"digest": plan["digest"]}, "state": {"serial": plan["state_serial"]},
             "gate": {"digest": digest(environment.get("gate"))}, "evidence": sorted(map(digest, receipt["evidence"])), "artifacts": plan["artifacts"], "authors": written, "requester": change["requester"]}
    subjects = [(r.rpartition("@")[0], r.rpartition("@")[2]) for _, r in sorted(plan["artifacts"].items())] + [("plan", plan["digest"])]
    nonces, said = set(), []
    for statement, owners in (opened(e, directory.allowed) for e in receipt["approvals"]):
        own = {k: statement["predicate"][k] for k in ("decision", "reason", "log", "actingRole", "approver", "issuedAt", "notBefore", "expiresAt", "nonce")}
        need(statement["predicateType"] == "urn:bailey:approval:v1" and own["approver"] in owners, "an approval that its approver has not signed")
        need(statement["predicate"] == {**own, **bound} and [(s["name"], "sha256:" + s["digest"]["sha256"]) for s in statement["subject"]] == subjects, "an approval of something else")
        need(own["nonce"] and own["nonce"] not in nonces, "a nonce that was used twice")
        nonces.add(own["nonce"])
        may = own["approver"] in eligible and gives(own["actingRole"], "approve") and own["approver"] in holders.get(own["actingRole"], ())
        issued = when(own["issuedAt"])
        if may and max(issued, when(own["notBefore"])) <= at < when(own["expiresAt"]): said.append((own["approver"], own["decision"], issued))
    need(all(decision != "reject" for _, decision, _ in said), "somebody had rejected it")
    agreed = lambda expire: {p for p, d, issued in said if d == "approve" and at < issued + expire and not any(q == p and e == "revoke" and later >= issued for q, e, later in said)}
    # The gate: every condition was judged and met, and what can be judged again is.
    need(gate["met"] is True and gate["rejected"] is False and all(c["met"] is True for c in gate["conditions"]), "the gate did not let it through")
    need([c["condition"] for c in gate["conditions"][:len(conditions)]] == [kind for c in conditions for kind in c], "other conditions were judged than the gate has")
    longest = seconds("0s")
    for kind, body in (item for c in conditions for item in c.items()):
        if kind in ("verified", "soak"):
            ripe = {v["digest"] for v in gate["inputs"]["verified"] if v["environment"] == body["in"] and when(v["since"]) + seconds(body.get("for", "0s")) <= at}
            need(brought & set(receipt["introduces"]) <= ripe, "something was not verified before, or not for long enough")
        if kind == "approvals":
            longest = max(longest, seconds(body.get("expire", "72h")))
            rules = [(r.get("count", 1), directory.expand([r["from"]]) & eligible) for r in body["rules"]]
            need(filled(rules, agreed(seconds(body.get("expire", "72h")))), "too few different people approved it")
        if kind == "evidence":
            proven = {"sha256:" + x["digest"]["sha256"] for s, owners in statements if s["predicateType"] == body["type"] and owners & directory.expand(body["signedBy"]) for x in s["subject"]}
            need(brought <= proven, "evidence is missing")
    floor, back = {"production": 2, "staging": 1}.get(change["class"], 0), environment.get("rollback", {})
    if change["kind"] == "rollback" and floor:  # Leads to what had passed the whole gate before.
        floor = 0 if change["requester"] == "service:@rollback" and back.get("onFailedVerification") is True else 1 if "gate" in back else floor
    need(len(agreed(longest)) >= floor, "fewer people approved it than its class demands")
    deployers = {p for role, people in holders.items() if gives(role, "deploy") for p in people}
    need(environment.get("execute") != "by-operator" or change["executor"] in deployers and executor and not executor & authors, "executed by nobody who may")
    need(receipt["verification"] or not environment.get("verify") or change["kind"] == "destroy", "the verification is missing")
    for p in (s["predicate"] for s in receipt["verification"]):
        need([p["environment"], p["change"], p["plan"]] == [{"name": change["environment"], "uid": change["environment_uid"]}, change["id"], plan["digest"]], "a verification of something else")
        need(p["passed"] is True and all(r["exitCode"] == 0 for r in p["results"]), "a verification did not pass")
    verify_log(receipt["log"], receipt["digest"], log_key)

def verify_log(log, receipt, log_key):  # C2SP signed note and checkpoint; inclusion by RFC 9162, 2.1.3.2
    (name, _, key), (text, _, signatures) = log_key.split("+", 2), log["checkpoint"].rpartition("\n\n")
    public = base64.b64decode(key)
    ours = [base64.b64decode(line.split()[2]) for line in signatures.splitlines() if line.startswith(f"\u2014 {name} ")]
    need(any(s[:4] == sha(name.encode() + b"\n" + public)[:4] for s in ours), "the log's head is not signed with its key")
    for s in ours: Ed25519PublicKey.from_public_bytes(public[1:]).verify(s[4:], (text + "\n").encode())
    origin, size, root = text.splitlines()[:3]
    need(origin == name and json.loads(log["entry"])["digests"]["receipt"] == receipt, "the entry in the log is about something else")
    index, last, node = log["index"], int(size) - 1, sha(b"\0" + log["entry"].encode())
    need(0 <= index <= last, "the entry is beyond the log")
    for sibling in map(base64.b64decode, log["proof"]):
        need(last > 0, "the proof is too long")
        if index & 1 or index == last:
            node = sha(b"\1" + sibling + node)
            while index and not index & 1: index, last = index >> 1, last >> 1
        else: node = sha(b"\1" + node + sibling)
        index, last = index >> 1, last >> 1
    need(last == 0 and node == base64.b64decode(root), "the entry is not in the log")

bad = 0
for path in sys.argv[2:]:
    try:
        verify(json.load(open(path, encoding="utf-8")), sys.argv[1])
        print("holds", path)
    except Exception as why:  # What cannot be read or checked does not hold.
        bad += 1
        print("refused", path, f"{type(why).__name__}: {why}".replace("\n", " "))
sys.exit(1 if bad else 0)
