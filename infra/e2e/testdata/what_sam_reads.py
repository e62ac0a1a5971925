"""Prints, as JSON, what SAM's own code reads of a function: python what_sam_reads.py TEMPLATE FUNCTION."""

import json
import sys

from samcli.commands.local.lib.local_lambda import LocalLambdaRunner
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

template, name = sys.argv[1:]
stacks, _ = SamLocalStackProvider.get_stacks(template)
provider = SamFunctionProvider(stacks)
function = provider.get(name)
if function is None:
    sys.exit(f"SAM knows no function {name}")
runner = LocalLambdaRunner(
    local_runtime=None,
    function_provider=provider,
    cwd=".",
    real_path=".",
    aws_profile=None,
    aws_region=None,
    env_vars_values={},
)
print(
    json.dumps(
        {
            "Code": function.codeuri,
            "Handler": function.handler,
            "Runtime": function.runtime,
            "Architecture": function.architectures[0],
            "MemorySize": function.memory,
            "Timeout": function.timeout,
            "Environment": runner._make_env_vars(function).resolve(),
        }
    )
)
