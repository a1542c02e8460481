-- The columns stand in the order of the fields of Entry in world.py.
create table entries (
    topic text, code text collate nocase, name text, flag text, official_name text, kind text,
    country text collate nocase, part_of text collate nocase, other_code text, number text,
    id integer primary key,
    unique (topic, code)
);
create index entries_of_country on entries (country);
create index parts_of_entry on entries (part_of);

-- Countries in the words of other languages; the tag is what HTML calls the language.
create table names (country text, language text, tag text, name text, primary key (country, language));
create index names_in_language on names (language);

create table corrections (made_at text, topic text, code text, field text, was text, now text);

-- What entries are found by: everything that they are called.
create virtual table search using fts5 (words);
create trigger entry_is_new after insert on entries begin
    insert into search (rowid, words) values (new.id, new.code || ' ' || new.other_code || ' ' || new.name
        || ' ' || new.official_name || ' ' || coalesce((select group_concat(names.name, ' ') from names
        where country = new.code and new.topic = 'countries'), ''));
end;
create trigger entry_is_corrected after update of name, official_name, other_code on entries begin
    update search set words = words || ' ' || new.name || ' ' || new.official_name || ' ' || new.other_code
    where rowid = new.id;
end;

-- What pages list: topic, code and name of an entry, the language of that name, and a remark.
create view every_country as
    select topic, code, flag || ' ' || name, 'en', '' from entries
    where topic = 'countries' order by name;
create view below as
    select topic, code, name, 'en' as tag, coalesce(nullif(kind, ''), code) as remark,
        coalesce(nullif(part_of, ''), country) as above from entries;
create view words as
    select 'languages' as topic, language as code, names.name, tag, entries.name as remark, names.country as above
    from names join entries on topic = 'languages' and code = language
    union all
    select 'countries', names.country, names.name, tag, entries.name, language
    from names join entries on topic = 'countries' and code = names.country;
