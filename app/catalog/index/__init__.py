"""The index: which articles have what, as Roaring bitmaps of article ids. A sealed room with two doors.

Questions come in by `find`, with conditions made in `conditions`; imports come in by `keep`. No other
module outside imports anything from here, and none but these imports pyroaring: a test checks both.

A bitmap is stored as pyroaring's portable serialisation (`BitMap.serialize`) after `run_optimize`, so equal
sets are equal bytes whatever their history. There are two tables. catalog/fields.py has the fields and Has.

A set is stored in pieces: a row has its articles whose ids are in one range. A range has 65,536 ids for words
and 524,288 for other sets; ranges.py says why. Ids in a piece are whole ids.

`article_sets`: one row for each kind, key and range.

    kind                  key                       articles in the bitmap
    a field               id of a term of it        filed under the term
    a field and "_count"  number of a bit           whose number of terms of the field has this bit
    day                   number of a day           published on that day in UTC
    month                 number of a month         published in that month in UTC
    updated_day           number of a day           updated on that day in UTC
    added_day             number of a day           added to the catalogue on that day in UTC
    quality, heat         the number                of that quality, of that heat
    has                   a member of Has           with any term of the field, an image, a related link
    unpublished           UNPUBLISHED_KEY           not published

`word_articles`: one row for each spelling of a word and range, with three bitmaps: articles that have it in
their title, in their excerpt, in any of their texts.

`article_groups`: for each 1,024 ids a row of numbers, by which a list is folded, and sets of groups'
heads and of their other members; groups.py has the format. `term_repeats` has how many articles of a term its
folded list leaves out; repeats.py counts them.

What always holds after an import: a piece is stored only where it has an article; an article is in exactly
the sets that its stored row, its terms and its words say (tests/oracles/index.py recounts them); ids are
those of `articles`, below 2^32. What is published has no set: there is one of what is not, which is small.
Only fields of which an article may have many terms have sets of counts.

What it costs: a question intersects bitmaps in microseconds, whatever the number of articles. Reading a set
takes 2.5 µs among 13,000 articles and 20 among a million, so counts read as few as they can: months where
days are not asked for, and of a field's terms the largest, until no other can be among the most frequent. The
counts of up to 500 articles are read from the terms in their rows, 4 µs each. Nothing is kept in memory
between two questions, so no import can make it wrong. An import
writes each piece that changed once, however many articles changed in it. A word's row takes 24 kB at most and
another 64 kB, so one new article of 30 sentences writes 2 to 4 MB however large the catalogue is.
"""
