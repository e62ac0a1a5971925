"""The deployed stack on this machine, without Docker and AWS: ministack, with poolkeeper's fake of Cognito behind it.

python stack.py              starts both, bootstraps and deploys with the CDK, shows an incident, stays until Ctrl-C
python stack.py serve FAKE   only serves AWS; FAKE is the URL of a fake of Cognito
python stack.py release FILE deploys the template of a release to what is served
python stack.py incident     shows an incident in what is deployed
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from datetime import datetime, timezone

PORT = os.environ.get("PORT") or "4566"
ACCOUNT, REGION = "111122223333", "eu-west-1"
ARM = os.uname().machine in ("arm64", "aarch64")
ENVIRONMENT = {
    "AUTH": "true", "MINISTACK_ACCOUNT_ID": ACCOUNT, "MINISTACK_REGION": REGION, "GATEWAY_PORT": PORT,
    "BIND_HOST": "127.0.0.1", "AWS_ENDPOINT_URL": f"http://127.0.0.1:{PORT}", "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "ministack", "AWS_SECRET_ACCESS_KEY": "ministack",
    "AWS_EC2_METADATA_DISABLED": "true", "CDK_VALIDATION": "false", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1",
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20", "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED": "true",
}


def serve(fake):
    """Serves AWS, with what ministack lacks."""
    from ministack import app
    from ministack.core import iam_actions, iam_evaluator
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import cognito, eventbridge, lambda_svc
    from ministack.services.cloudformation import provisioners

    def identity(headers):
        """Says who called, as CloudTrail does."""
        key = headers["authorization"].partition("Credential=")[2].partition("/")[0]
        principal = iam_evaluator.resolve_principal(key, get_account_id()).arn
        if ":assumed-role/" not in principal:
            return {"type": "Root", "arn": principal, "accountId": get_account_id()}
        name = principal.split("/")[1]
        role = {"type": "Role", "arn": f"arn:aws:iam::{get_account_id()}:role/{name}", "userName": name}
        return {"type": "AssumedRole", "arn": principal, "accountId": get_account_id(),
                "sessionContext": {"sessionIssuer": role}}

    def publish(operation, headers, request, response):
        """Puts CloudTrail's event of a call onto the bus: ministack lets nobody else send events of AWS."""
        detail = {
            "eventVersion": "1.11", "eventType": "AwsApiCall", "eventSource": "cognito-idp.amazonaws.com",
            "eventName": operation, "eventID": str(uuid.uuid4()), "readOnly": False, "managementEvent": True,
            "eventTime": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), "awsRegion": get_region(),
            "recipientAccountId": get_account_id(), "sourceIPAddress": "127.0.0.1",
            "userAgent": headers.get("user-agent", ""), "userIdentity": identity(headers),
            "requestParameters": {k[:1].lower() + k[1:]: v for k, v in request.items()},
            "responseElements": {k[:1].lower() + k[1:]: v for k, v in response.items()} or None,
        }
        entry = {"Source": "aws.cognito-idp", "DetailType": "AWS API Call via CloudTrail", "Detail": json.dumps(detail)}
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)

    async def forward(method, path, headers, body, query):
        """Lets the fake answer a call to Cognito, once ministack has checked who may make it."""
        target = headers["x-amz-target"]
        try:
            call = urllib.request.Request(fake, body, {"X-Amz-Target": target, "Content-Type": headers["content-type"]})
            with urllib.request.urlopen(call) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        operation = target.partition(".")[2]
        if status == 200 and not operation.startswith(("Describe", "Get", "List")):
            publish(operation, headers, json.loads(body), json.loads(text or "{}"))
        return status, {"Content-Type": "application/x-amz-json-1.1"}, text

    def record_alarm(record, name, props):
        """Takes an alarm on several metrics for one on the first, for ministack refuses metric math."""
        for metric in props.get("Metrics") or []:
            if "MetricStat" in metric:
                stat = metric["MetricStat"]
                one = {**stat["Metric"], "Statistic": stat["Stat"], "Period": stat["Period"]}
                return record(name, {**props, "Metrics": None, **one})
        return record(name, props)

    def resolve_key(resolve, key, context):
        """Takes plain HTTP on this machine for TLS, which the policies of the stack and of the CDK's bucket ask for."""
        return "true" if key.lower() == "aws:securetransport" else resolve(key, context)

    def action(extract, service, *request, **more):
        """Asks for the right to send where a batch is sent, as SQS does."""
        name = extract(service, *request, **more)
        return name.removesuffix("Batch") if service == "sqs" and name else name

    def worker(environment, config, code, port):
        """Puts the code into the folder of the code, which no container has here."""
        return {k: v.replace("/var/task", str(code)) for k, v in environment(config, code, port).items()}

    def patch(module, name, function):
        original = getattr(module, name)
        setattr(module, name, lambda *args, **kwargs: function(original, *args, **kwargs))

    cognito.handle_request = forward
    patch(provisioners, "_cw_metric_alarm_record", record_alarm)
    patch(iam_evaluator, "_resolve_condition_key", resolve_key)
    patch(iam_actions, "extract_iam_action", action)
    patch(lambda_svc, "_provided_worker_env", worker)
    sys.argv[1:] = []
    app.main()


def start(*command, ready, log):
    """Starts a process that writes a line with a text once it is ready."""
    with open(log, "w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    for _ in range(300):
        if ready in open(log).read():
            return process
        if process.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit(f"{command[0]} does not start:\n{open(log).read()}")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
    return done.stdout


def until(what, ask):
    for _ in range(300):
        if answer := ask():
            return answer
        time.sleep(0.2)
    sys.exit(f"waited for a minute for {what}")


def deploy():
    cdk = ["infra/node_modules/.bin/cdk"]
    context = ["--output", ".build/stack/out", "-c", "smsRoles=none", "-c",
               f"architecture={ARM and 'arm64' or 'x86_64'}"]
    run(*cdk, "bootstrap", f"aws://{ACCOUNT}/{REGION}", *context)
    run(*cdk, "deploy", "--require-approval", "never", *context)


def release(template):
    """Deploys the template of a release: with the function of now, and without what asked for a scan by a function."""
    import io
    import zipfile

    import botocore.session

    body = json.load(open(template))
    body["Resources"] = {k: v for k, v in body["Resources"].items()
                         if not k.startswith(("FirstSweep", "AWS679f53fac002430cb0da5b7982bd2287"))}
    clients, code = botocore.session.get_session().create_client, io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.write(f".build/{ARM and 'arm64' or 'amd64'}/bootstrap", "bootstrap")
    for resource in body["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            clients("s3").put_object(Bucket=f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}", Body=code.getvalue(),
                                     Key=resource["Properties"]["Code"]["S3Key"])
    formation = clients("cloudformation")
    formation.create_stack(StackName="poolkeeper", TemplateBody=json.dumps(body), Capabilities=["CAPABILITY_IAM"])
    until("the release", lambda: formation.describe_stacks(StackName="poolkeeper")["Stacks"][0]["StackStatus"] ==
          "CREATE_COMPLETE")


def incident():
    """Weakens a pool, and shows what happens."""
    import botocore.session

    clients = botocore.session.get_session().create_client
    stack = clients("cloudformation").describe_stacks(StackName="poolkeeper")["Stacks"][0]
    outputs = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
    sqs, sns, cognito, logs = (clients(name) for name in ("sqs", "sns", "cognito-idp", "logs"))

    def logged(outcome):
        events = logs.filter_log_events(logGroupName=outputs["LogGroupName"])["events"]
        lines = [json.loads(e["message"]) for e in events if e["message"].startswith('{"time"')]
        return next((line for line in lines if line["msg"] == "reconciled" and line["outcome"] == outcome and
                     line["user_pool_id"] == pool), None)

    inbox = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:*", "Resource": arn}
    sqs.set_queue_attributes(QueueUrl=inbox, Attributes={"Policy": json.dumps({"Statement": [allow]})})
    sns.subscribe(TopicArn=outputs["TopicArn"], Protocol="sqs", Endpoint=arn)
    password = {"MinimumLength": 12, "RequireLowercase": True, "RequireUppercase": True, "RequireNumbers": True,
                "RequireSymbols": True, "TemporaryPasswordValidityDays": 7}
    pool = cognito.create_user_pool(
        PoolName="shop", UserPoolTier="PLUS", DeletionProtection="ACTIVE", Policies={"PasswordPolicy": password},
        UserPoolAddOns={"AdvancedSecurityMode": "ENFORCED"})["UserPool"]["Id"]
    until("the event of the new pool", lambda: logged("unchanged"))
    print("$ aws cognito-idp update-user-pool --user-pool-tier PLUS --deletion-protection INACTIVE",
          "--user-pool-id", pool)
    cognito.update_user_pool(UserPoolId=pool, DeletionProtection="INACTIVE", UserPoolTier="PLUS")

    line = until("the function", lambda: logged("remediated"))
    cause = line["cause"]
    print("log: ", line["outcome"], line["user_pool_id"], "after", cause["event_name"], "by", cause["actor"])
    mail = until("the mail", lambda: sqs.receive_message(QueueUrl=inbox).get("Messages"))[0]
    print("mail:", json.loads(mail["Body"])["Subject"])
    now = cognito.describe_user_pool(UserPoolId=pool)["UserPool"]
    print("pool:", now["DeletionProtection"], now["UserPoolAddOns"]["AdvancedSecurityMode"])
    print(f"$ poolkeeper history --pool {pool} --stack poolkeeper")
    print(run(".build/poolkeeper", "history", "--pool", pool, "--stack", "poolkeeper"))


def main():
    os.environ.update(ENVIRONMENT)
    if sys.argv[1:2] == ["serve"]:
        return serve(sys.argv[2])
    if sys.argv[1:2] == ["release"]:
        return release(sys.argv[2])
    if sys.argv[1:2] == ["incident"]:
        return incident()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    os.makedirs(".build/stack", exist_ok=True)
    fake = f"127.0.0.1:{int(PORT) + 1}"
    processes = []
    try:
        processes.append(start(".build/poolkeeper", "demo", "--serve", fake, ready=fake,
                               log=".build/stack/cognito.log"))
        processes.append(start(sys.executable, __file__, "serve", f"http://{fake}", ready="Running on",
                               log=".build/stack/aws.log"))
        deploy()
        incident()
        print("AWS answers here until Ctrl-C; .build/stack/aws.log says what happens:")
        print("  export " + " ".join(f"{k}={v}" for k, v in ENVIRONMENT.items() if k in os.environ and k in (
            "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")))
        processes[-1].wait()
    except KeyboardInterrupt:
        pass
    finally:
        for process in processes:
            process.kill()


main()
