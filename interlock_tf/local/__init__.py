"""Interlock on this machine. Needs the extra ``local``.

Two ways, and nothing of what is deployed is changed for either. For Terraform, moto behind HTTP is
the AWS (:mod:`~interlock_tf.local.embedded`): everything that turns AWS into it is in the
environment of the process that talks to it. To see what the stack does, a world
(:mod:`~interlock_tf.local.world`) reads the synthesised ``cdk.tf.json`` and runs it: in virtual time
for scenarios and simulations, in real time behind HTTP (:mod:`~interlock_tf.local.endpoint`).
"""
