"""What `.ci/template` needs of Python. Usage: TEMPLATE checks its schedules; TEMPLATE FILE writes what SAM makes of it."""

import json
import logging
import re
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

UNIT = r"(minute|hour|day)"
RATE = re.compile(rf"rate\((1 {UNIT}|(?!0|1 )[0-9]+ {UNIT}s)\)")
NUMBER, NAME = r"[0-9]{1,4}", r"[A-Z]{3}"
VALUE = rf"({NUMBER}|{NAME})"
PART = rf"(\*|{VALUE}(-{VALUE})?)(/{NUMBER})?"
FIELD = re.compile(rf"{PART}(,{PART})*|\?|L|{NUMBER}W|LW|{VALUE}L|{VALUE}#[1-5]")
ONCE = re.compile(r"at\([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\)")
RANGES = [(0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199)]


class NoPolicies:
    """Our roles name no managed policy that SAM would have to look up."""

    def load(self):
        return {}


def expanded(template):
    """The template as CloudFormation gets it; the code's folder stands for the archive that `sam package` would upload."""
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function" and isinstance(properties.get("CodeUri"), str):
            properties["CodeUri"] = "s3://bucket/key.zip"
    return transform(template, {}, NoPolicies())


def expressions(value, path=""):
    """Every schedule expression of the template, with its place. One that is put together cannot be checked, and is told as such."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("ScheduleExpression", "Schedule"):
                yield f"{path}/{key}", inner
            yield from expressions(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from expressions(inner, f"{path}/{number}")


def wrong(expression):
    """What is wrong with a schedule expression, if anything: EventBridge's rules, which no linter knows."""
    if not isinstance(expression, str):
        return "is no plain text, so it cannot be checked"
    if expression.startswith("rate("):
        return None if RATE.fullmatch(expression) else "1 takes minute, hour or day; more take minutes, hours or days"
    if expression.startswith("cron(") and expression.endswith(")"):
        return wrong_cron(expression[5:-1].split(" "))
    return None if ONCE.fullmatch(expression) else "is none of rate(...), cron(...) and at(yyyy-mm-ddThh:mm:ss)"


def wrong_cron(fields):
    if len(fields) != 6:
        return f"has {len(fields)} fields; six are: minutes hours day-of-month month day-of-week year"
    for field, (least, most) in zip(fields, RANGES):
        numbers = [int(number) for number in re.findall(r"(?<![/#0-9])[0-9]+", field)]
        if not FIELD.fullmatch(field) or any(not least <= number <= most for number in numbers):
            return f'the field "{field}" is not to be read, or not within {least}-{most}'
    if (fields[2] == "?") == (fields[4] == "?"):
        return "one of day-of-month and day-of-week, and only one, must be ?"
    return None


def self_test():
    good = ["rate(1 minute)", "rate(5 minutes)", "rate(10 hours)", "cron(0 8 * * ? *)", "cron(0/15 8-17 ? * MON-FRI 2026)",
            "cron(0 0 L * ? *)", "cron(0 0 ? * 6#3 *)", "cron(5,35 14 ? * 6L 2026-2028)", "at(2026-11-28T12:00:00)"]
    bad = ["rate(1 minutes)", "rate(5 minute)", "rate(0 minutes)", "rate(1 second)", "rate(01 minutes)", "cron(0 8 * * *)",
           "cron(0 8 * * * *)", "cron(60 8 * * ? *)", "cron(0 24 * * ? *)", "cron(0 8 ? * ? *)", "cron(0  8 * * ?)", "every minute",
           "cron(0 8 0 * ? *)", "cron(0 8 ? 13 MON *)", "at(2026-11-28)"]
    missed = [one for one in good if wrong(one)] + [one for one in bad if not wrong(one)]
    assert not missed, f"the check of schedules is wrong about {missed}"


def main(template, target=None):
    logging.disable(logging.WARNING)  # SAM's translator tells which of its unreleased features are off
    with open(template, encoding="utf-8") as file:
        document = yaml_parse(file.read())
    document = expanded(document)
    if target:
        with open(target, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
        return
    self_test()
    found = list(expressions(document["Resources"]))
    faults = [f"{path}: {expression}: {fault}" for path, expression in found if (fault := wrong(expression))]
    print("\n".join(faults) or f"{len(found)} schedules")
    sys.exit(1 if faults or not found else 0)


main(*sys.argv[1:])
