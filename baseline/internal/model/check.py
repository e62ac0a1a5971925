"""Compare the member table with the newest model of the service that botocore has.

    make model

Every disagreement is printed, one a line. Those in MEANT, each with its reason, are not. The exit status is 1 if
anything else was found, or if an entry of MEANT is no longer needed.
"""

import json
import re
import sys

import botocore
import botocore.loaders

# What the table says otherwise on purpose: the place and the disagreement, and why.
MEANT = {
    "RefreshTokenValidity: min is 1, not 0": "the service reads 0 as not given, so 0 can never hold",
    "TemporaryPasswordValidityDays: min is 1, not 0": "the service reads 0 as not given, so 0 can never hold",
    "UnusedAccountValidityDays: min is 1, not 0": "the service reads 0 as not given, so 0 can never hold",
    "EnableStatus: required is True, not False": "a configuration without it turns registration on",
    "KeyType: required is True, not False": "a configuration without it says nothing",
    "Subject: min is 1, not 0": "an empty text is refused by the pattern",
    "userNotification.LogLevel: enum": "the service takes ERROR for this source only",
    "userAuthEvents.LogLevel: enum": "the service takes INFO for this source only",
    "SnsCallerArn: pattern": "an empty ARN is as good as none, and none is sent",
    "AllowedFirstAuthFactors: required is True, not False": "a sign-in policy without it says nothing",
    "RecoveryMechanisms: required is True, not False": "a setting without it says nothing",
    "UserPoolTags.KEY: pattern": "the developer guide documents the characters of tags",
}

# Members of a write call that say which document is written.
ADDRESS = {"UserPoolId", "ClientId"}


def model():
    """The service's shapes and operations."""
    loader = botocore.loaders.Loader()
    return loader.load_service_model("cognito-idp", "service-2")


def bare(pattern):
    """A pattern without what only says that it is about the whole text."""
    pattern = pattern or ""
    pattern = re.sub(r"^\(\?s\)", "", pattern)
    pattern = pattern.removeprefix("^").removesuffix("$")
    return "" if pattern == ".*" else pattern


class Check:
    """One comparison; found is what disagrees, in order."""

    def __init__(self, service):
        self.shapes = service["shapes"]
        self.operations = service["operations"]
        self.found = []

    def say(self, path, what):
        self.found.append(f"{path}: {what}")

    def same(self, path, what, table, theirs):
        if table != theirs:
            self.say(path, f"{what} is {table}, not {theirs}")

    def document(self, table):
        written = self.operations[table["writeCall"]]["input"]["shape"]
        read = self.operations[table["readCall"]]["output"]["shape"]
        if table["answer"]:
            read = self.shapes[read]["members"][table["answer"]]["shape"]
        taken = dict(self.shapes[written]["members"])
        shown = dict(self.shapes[read]["members"])
        required = self.shapes[written].get("required", [])
        known = {}
        for member in table["members"]:
            known[member["name"]] = member
            path = f"{table['name']}.{member['name']}"
            name = member["readName"] or member["name"]
            takes, shows = member["name"] in taken and member["name"] not in ADDRESS, name in shown
            if member["trip"] == "read-only":
                if takes:
                    self.say(path, f"is taken by {table['writeCall']}")
                if not shows and member["name"] not in ADDRESS:
                    self.say(path, f"is not shown by {table['readCall']}")
                continue
            if not takes:
                self.say(path, f"is not taken by {table['writeCall']}")
                continue
            if shows == bool(member["shownBy"]):
                self.say(path, f"is {'' if shows else 'not '}shown by {table['readCall']}")
            if member["shownBy"] and member["shownBy"] not in shown:
                self.say(path, f"{member['shownBy']} is not shown by {table['readCall']}")
            self.member(path, member, taken[member["name"]]["shape"])
            if not member["byKey"]:
                self.same(path, "required", member["required"], member["name"] in required)
        for name in taken:
            if name not in known and name not in ADDRESS:
                self.say(f"{table['name']}.{name}", f"is taken by {table['writeCall']} and not in the table")
        renamed = {member["readName"] for member in known.values()}
        for name in shown:
            if name not in known and name not in renamed:
                self.say(f"{table['name']}.{name}", f"is shown by {table['readCall']} and not in the table")

    def member(self, path, member, shape_name):
        shape = self.shapes[shape_name]
        if member["byKey"]:
            self.by_key(path, member, shape)
            return
        if shape["type"] == "map" and member["kind"] == "structure":  # of which all keys are known
            for below in member["members"]:
                self.member(f"{path}.{below['name']}", below, shape["value"]["shape"])
            return
        self.same(path, "kind", member["kind"], shape["type"])
        self.same(path, "enum", member.get("enum", []), shape.get("enum", []))
        if shape["type"] in ("string", "integer", "list", "map") and not shape.get("enum"):
            self.same(path, "min", member["min"], shape.get("min", 0))
            if shape["type"] != "map" or "max" in shape:
                self.same(path, "max", member["max"], shape.get("max", 0))
        if shape["type"] == "string" and not shape.get("enum"):
            self.same(path, "pattern", bare(member["pattern"]), bare(shape.get("pattern")))
        if shape["type"] == "list":
            self.member(path + "[]", member["elem"], shape["member"]["shape"])
        if shape["type"] == "map":
            key = self.shapes[shape["key"]["shape"]]
            self.same(path, "keyMax", member["keyMax"], key.get("max", 0))
            self.member(path + ".KEY", member["elem"], shape["value"]["shape"])
        if shape["type"] == "structure":
            self.structure(path, member.get("members", []), shape, set())

    def structure(self, path, members, shape, without):
        required = shape.get("required", [])
        known = {below["name"]: below for below in members}
        for name, below in known.items():
            if name not in shape["members"]:
                self.say(f"{path}.{name}", "is not in the model")
                continue
            self.same(f"{path}.{name}", "required", below["required"], name in required)
            self.member(f"{path}.{name}", below, shape["members"][name]["shape"])
        for name in shape["members"]:
            if name not in known and name not in without:
                self.say(f"{path}.{name}", "is not in the table")

    def by_key(self, path, member, shape):
        """A list in the model, of which each element is a member here."""
        element = self.shapes[shape["member"]["shape"]]
        keys = self.shapes[element["members"][member["byKey"]]["shape"]]["enum"]
        self.same(path, "keys", sorted(below["name"] for below in member["members"]), sorted(keys))
        for below in member["members"]:
            self.structure(f"{path}.{below['name']}", below["members"], element, {member["byKey"]})


def members(fields):
    """A document or member of the table, by the names of its fields, without those that are not given."""
    return {name[0].lower() + name[1:]: value for name, value in fields.items() if value is not None}


def meant(found):
    """The entry of MEANT that explains a disagreement, or None."""
    return next((entry for entry in MEANT if entry in found), None)


def main():
    check = Check(model())
    for table in json.load(sys.stdin, object_hook=members):
        check.document(table)
    unexplained = [found for found in check.found if meant(found) is None]
    unused = set(MEANT) - {meant(found) for found in check.found}
    for found in unexplained:
        print(found)
    for entry in sorted(unused):
        print(f"no longer needed among what is meant: {entry}")
    counts = f"{len(check.found)} disagreements, {len(unexplained)} not meant"
    print(f"botocore {botocore.__version__}: {counts}", file=sys.stderr)
    return 1 if unexplained or unused else 0


if __name__ == "__main__":
    sys.exit(main())
