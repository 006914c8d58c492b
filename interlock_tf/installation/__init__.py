"""A deployed installation, seen from outside: what its four tables say, and the two rows that people write.

Needs boto3 and rich, the extra ``ask``. What rows mean is the runtime's ``core``; here they are
read, many at once, and put together into answers. A question never scans a table.

    reach       the options that say which installation, and the way to it through boto3
    faults      what boto3 cannot do, as a sentence for people
    tables      the operations on a table
    deployed    one installation: its tables and its pipelines
    facts       what is read about one execution date
    due         its deadlines, and how they came out; pure
    standings   how that date stands, and what it waits for; pure
    reasons     why it ran, or did not, in sentences; pure
    overview    the answer to ``status``
    explanation the answer to ``explain``
    history     the answer to ``events``
    sensor_rows what ``sensor`` writes and lists
    requests    what ``rerun`` writes, and what becomes of it
    screen      the terminal: colours, widths, progress

A module ``<command>_text`` makes the text of an answer with rich; without it, an answer is JSON.
"""
