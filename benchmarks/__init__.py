"""How fast the service and the import are, beside others doing the same on the same machine in the same run.

    articles    one idea of an article, by seed and number
    generate    articles -> a tree of documents, or a filled catalogue
    servers     programs that listen on a port of this machine, and stop when they are done with
    bare        the ceiling: an ASGI application that answers bytes
    usual       the usual service: ORM objects and a response model over the same database
    load        requests per second and the 99th percentile
    importing, service, scale    the parts: each returns tables of ratios beside their goals
    stories     stories, folded lists and similar articles beside a list page, of any catalogue
    bulk        a small catalogue -> a large one, sooner than by imports
    simulate    what a catalogue of any size takes and writes, by a model
    memory      peak memory of an export and of a server that streams one
    profile     where the time of a request goes

Only ratios count, taken in turns (A B A B A B), as medians. Everything is bounded, and listens on loopback.
"""
