"""Print the members that the write calls of user pools gained, by version of botocore, as a Markdown table.

    python3 history.py FOLDER VERSION...

The versions are downloaded into FOLDER. A member with (*) has not the same name and shape in the call that reads it.
"""

import gzip
import json
import pathlib
import subprocess
import sys
import zipfile

CALLS = {
    "UpdateUserPool": ("DescribeUserPool", "UserPool"),
    "SetUserPoolMfaConfig": ("GetUserPoolMfaConfig", None),
    "UpdateUserPoolClient": ("DescribeUserPoolClient", "UserPoolClient"),
    "SetRiskConfiguration": ("DescribeRiskConfiguration", "RiskConfiguration"),
    "SetLogDeliveryConfiguration": ("GetLogDeliveryConfiguration", "LogDeliveryConfiguration"),
}


def model(folder, version):
    """The service model and the release date of a version."""
    have = list(folder.glob(f"botocore-{version}-*.whl"))
    if not have:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder),
                        f"botocore=={version}"], check=True)
        have = list(folder.glob(f"botocore-{version}-*.whl"))
    with zipfile.ZipFile(have[0]) as wheel:
        name = next(n for n in wheel.namelist() if "cognito-idp" in n and "service-2" in n)
        raw = wheel.read(name)
        year = wheel.getinfo(name).date_time[0]
    return json.loads(gzip.decompress(raw) if name.endswith(".gz") else raw), year


def members(shapes, shape, above=""):
    """All members below a shape by their path, each with its shape's name."""
    found = {}
    one = shapes[shape]
    if one["type"] == "list":
        return members(shapes, one["member"]["shape"], above + "[]")
    if one["type"] == "map":
        return members(shapes, one["value"]["shape"], above + ".*")
    for name, member in one.get("members", {}).items():
        path = f"{above}.{name}".removeprefix(".")
        found[path] = shapes[member["shape"]]["type"]
        found.update(members(shapes, member["shape"], path))
    return found


def written(service, call):
    """The members that a write call takes, and those that its read call shows."""
    if call not in service["operations"]:
        return {}, {}
    shapes, (read, answer) = service["shapes"], CALLS[call]
    shown = service["operations"][read]["output"]["shape"]
    if answer:
        shown = shapes[shown]["members"][answer]["shape"]
    return members(shapes, service["operations"][call]["input"]["shape"]), members(shapes, shown)


def main(folder, versions):
    before = None
    print("| botocore | members gained |\n|---|---|")
    for version in versions:
        service, year = model(folder, version)
        now = {call: written(service, call) for call in CALLS}
        row = []
        for call, (takes, shows) in now.items():
            known = before[call][0] if before else {}
            gained = [path for path in takes if known and path not in known]
            names = []
            for path in gained:
                if path.rpartition(".")[0].removesuffix("[]").removesuffix(".*") not in gained:
                    names.append(path if shows.get(path) == takes[path] else path + " (*)")
            if names:
                row.append(f"{call}: {', '.join(names)}")
        if row:
            print(f"| {version} ({year}) | {'; '.join(row)} |")
        before = now


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2:])
