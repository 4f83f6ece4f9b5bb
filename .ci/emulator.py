"""ministack, and what the test of the deployed stack needs of it besides:

- A few resource types that it does not know, and alarms on metric math, are taken and do nothing; a number that comes
  from a parameter is one, and a batch of messages needs the permission for one message, as AWS has it. So the template
  can stay as it is for AWS.
- Every decision about a permission is written down: a line of JSON with principal, action, resource and decision, at the
  end of the file that DECISIONS names.

Runs with the Python of the emulator's venv: the two places that it reaches into are those of the pinned version.
"""

import json
import os

from ministack.app import main
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services.cloudformation import provisioners

INERT = (
    "AWS::Budgets::Budget",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::Logs::QueryDefinition",
)


def take(logical_id, _properties, stack_name):
    return f"{stack_name}-{logical_id}", {}


def keep(physical_id, _before, _after, _stack_name):
    return physical_id, {}


for kind in INERT:
    if kind in provisioners._RESOURCE_HANDLERS:
        raise SystemExit(f"this emulator knows {kind} itself: take it off the list")
    provisioners._RESOURCE_HANDLERS[kind] = {"create": take, "update": keep, "delete": lambda *_: None}

handlers = provisioners._RESOURCE_HANDLERS
create_alarm = handlers["AWS::CloudWatch::Alarm"]["create"]
create_mapping = handlers["AWS::Lambda::EventSourceMapping"]["create"]


def alarm(logical_id, properties, stack_name):
    create = take if "Metrics" in properties else create_alarm
    return create(logical_id, properties, stack_name)


def mapping(logical_id, properties, stack_name):
    scaling = properties.get("ScalingConfig")
    if scaling:
        properties = properties | {"ScalingConfig": {name: int(number) for name, number in scaling.items()}}
    return create_mapping(logical_id, properties, stack_name)


handlers["AWS::CloudWatch::Alarm"] |= {"create": alarm}
handlers["AWS::Lambda::EventSourceMapping"] |= {"create": mapping}

enforce = iam_evaluator.enforce
decisions = open(os.environ["DECISIONS"], "a", buffering=1)


def enforce_and_write(access_key, action, service, region, resource_arn="*", **context):
    if action.startswith("sqs:"):
        action = action.removesuffix("Batch")
    denied = enforce(access_key, action, service, region, resource_arn=resource_arn, **context)
    principal = iam_evaluator.resolve_principal(access_key or "", get_account_id())
    line = {
        "principal": getattr(principal, "arn", "nobody"),
        "action": action,
        "resource": resource_arn,
        "decision": "Deny" if denied else "Allow",
    }
    decisions.write(json.dumps(line) + "\n")
    return denied


iam_evaluator.enforce = enforce_and_write

if __name__ == "__main__":
    main()
