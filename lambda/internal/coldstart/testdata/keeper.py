"""The same event, handled as one would with boto3: the pool is read, brought to the baseline with one whole UpdateUserPool, and read again.

It keeps less than poolkeeper does: members that boto3 does not know are lost, conflicts are not seen, and nothing is compared after the write. The loop
below does what the runtime that Lambda has for Python does, and no more.
"""
import http.client
import json
import os

import boto3

cognito = boto3.client("cognito-idp")
WRITTEN = set(cognito.meta.service_model.operation_model("UpdateUserPool").input_shape.members)
PASSWORDS = {"RequireLowercase", "RequireUppercase", "RequireNumbers", "RequireSymbols"}


def read(pool_id):
    pool = cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"]
    mfa = cognito.get_user_pool_mfa_config(UserPoolId=pool_id)
    return pool, mfa


def drifts(pool):
    policy = pool.get("Policies", {}).get("PasswordPolicy", {})
    found = []
    if pool.get("DeletionProtection") != "ACTIVE":
        found.append("DeletionProtection")
    if pool.get("UserPoolAddOns", {}).get("AdvancedSecurityMode") != "ENFORCED":
        found.append("UserPoolAddOns.AdvancedSecurityMode")
    if policy.get("MinimumLength", 0) < 12 or policy.get("TemporaryPasswordValidityDays", 99) > 7 or not all(policy.get(name) for name in PASSWORDS):
        found.append("Policies.PasswordPolicy")
    return found


def handle(event):
    pool_id = event["detail"]["requestParameters"]["userPoolId"]
    pool, mfa = read(pool_id)
    found = drifts(pool)
    if not found:
        return {"outcome": "unchanged"}
    body = {name: value for name, value in pool.items() if name in WRITTEN and value not in ("", None)}
    body["MfaConfiguration"] = mfa.get("MfaConfiguration", "OFF")
    body["DeletionProtection"] = "ACTIVE"
    body.setdefault("UserPoolAddOns", {})["AdvancedSecurityMode"] = "ENFORCED"
    policy = body.setdefault("Policies", {}).setdefault("PasswordPolicy", {})
    policy["MinimumLength"] = max(policy.get("MinimumLength", 0), 12)
    policy["TemporaryPasswordValidityDays"] = min(policy.get("TemporaryPasswordValidityDays", 7), 7)
    policy.update({name: True for name in PASSWORDS})
    cognito.update_user_pool(UserPoolId=pool_id, **body)
    pool, mfa = read(pool_id)
    return {"outcome": "unconverged" if drifts(pool) else "remediated", "drifts": found}


def main():
    lambda_api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        lambda_api.request("GET", "/2018-06-01/runtime/invocation/next")
        answer = lambda_api.getresponse()
        event, request_id = answer.read(), answer.getheader("Lambda-Runtime-Aws-Request-Id")
        result = json.dumps(handle(json.loads(event)))
        lambda_api.request("POST", f"/2018-06-01/runtime/invocation/{request_id}/response", result)
        lambda_api.getresponse().read()


main()
