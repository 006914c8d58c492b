"""An AWS on this machine: moto behind HTTP, as Terraform's and boto3's endpoint.

Needs the extra ``local``. What is applied here is the emitted output, unchanged: everything that
turns AWS into this AWS is in the environment of the process that talks to it.
"""
