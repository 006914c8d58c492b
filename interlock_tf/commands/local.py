"""Run a synthesised stack on this machine, in real time, until it is interrupted.

  interlock-tf local up STACK      STACK is the folder with the stack's cdk.tf.json

boto3 and the AWS CLI reach it at the URL that is printed, so that
  aws dynamodb put-item --endpoint-url URL --table-name dev-interlock-control --item …
writes a sensor and starts a run. Jobs start nothing: each succeeds after the pipeline's
expectedDuration, or ten minutes. What happens is printed as it happens.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from interlock_runtime.core.errors import ConfigError, Problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("action", choices=["up"], help="what to do")
    parser.add_argument("stack", type=Path, metavar="STACK", help="the folder of the stack, or its cdk.tf.json")
    parser.add_argument("--port", type=_port, default=0, metavar="N", help="where to listen (default: a free port)")
    parser.add_argument("--region", default="us-east-1", help="where the stack believes to be (default: us-east-1)")
    parser.add_argument("--json", action="store_true", help="print what happens as JSON, one object a line")


def run(arguments: argparse.Namespace) -> int:
    """Run the stack until somebody interrupts it."""
    # They need the extra `local`, and a moment to load.
    from interlock_tf.local.endpoint import Endpoint  # noqa: PLC0415
    from interlock_tf.local.recorder import Recorder  # noqa: PLC0415
    from interlock_tf.local.terraform_json import Configuration, Place  # noqa: PLC0415
    from interlock_tf.local.timeline import json_lines, one_line  # noqa: PLC0415

    configuration = Configuration.read(arguments.stack, place=Place(region=arguments.region))
    try:
        endpoint = Endpoint(configuration, port=arguments.port)
    except OSError as error:
        message = f"{arguments.port} cannot be listened on: {error.strerror}"
        raise ConfigError(Problem(path="--port", message=message)) from error
    recorder = Recorder(endpoint.world)
    out = sys.stdout  # while a function runs, in another thread, the name stands for where its log goes
    with endpoint:
        sys.stderr.write(f"{endpoint.url} is an AWS in {arguments.region} with this stack in it; Ctrl-C ends it.\n")
        told = 0
        while True:
            fresh = recorder.entries[told:]
            told += len(fresh)
            for line in json_lines(fresh) if arguments.json else map(one_line, fresh):
                out.write(f"{line}\n")
            out.flush()
            time.sleep(0.2)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: a number from 0 to 65535")
    return int(text)
