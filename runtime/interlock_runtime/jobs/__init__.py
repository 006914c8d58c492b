"""The nine job types behind one registry: start a job, ask how it is."""
