"""Pages for people: values in, HTML out. Knows no request and no database.

A template may use `| safe` nowhere: what is HTML already is a Markup when it is given, and that is what
catalog.highlights and catalog.content_html made, and nothing else of a document.
"""
