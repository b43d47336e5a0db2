"""What other tools export -> documents. Knows no database and nothing of what is stored.

    formats      which format a file has, and its entries
    bookmarks, rows, feeds, outlines    a module for each family of formats: text -> entries
    keys         an entry's own names and values -> the keys of a document, by the table of names
    folder       a document's text -> a file, under a name that the next conversion gives it again

An entry is what an export says of one link, under the export's own names. Formats know how it is written, and
`keys` alone knows what it means.
"""
