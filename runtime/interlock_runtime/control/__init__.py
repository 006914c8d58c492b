"""What Interlock decides. A decision takes plain data and ports; acting goes through the ports."""
