"""The proofs: what no unit test shows, shown by trying. `make prove` runs all of them at full length.

    module     what it proves, and of what
    kill       an import that is killed, or whose server is, leaves the catalogue before it or after it; the
               next one completes and gives exactly the state after; what was done outlives the server
    squeeze    an import short of memory, disk, open files or processor time does the same, and says so in
               one line with exit status 3
    doubles    two imports at once: one waits for the other, whichever of them is killed
    readers    every answer during imports comes from one revision, none older than the last; a walk over
               cursors meets every article that stayed, once
    memory     an import of 20,000 documents of 27 kB stays below 400 MB
    connections
               who sends no whole request head in 10 s is closed; who sends 100 MB of headers, trailers, an
               address or a body takes no memory, and nobody else waits for an answer
    fuzz       each of our parsers takes a million mutants without an exception that it does not declare

Each is a command, `python -m tests.proofs.kill --help`, which prints a line with its numbers and exits with 1
where there was a fault. Short forms are in tests/test_proofs.py.

    outcome    what every proof ends with
    editions   the trees that are imported, each in two editions, A and B
    catalogues the databases they are imported into, and what state those are in
"""
