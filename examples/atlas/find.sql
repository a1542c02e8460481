-- What a list shows; empty text lets everything through.
select *, count(*) over () from entries
where topic = :of and (country = :country or :country = '') and (kind = :kind or :kind = '')
    and (:words = '' or id in (select rowid from search where words match :words))
order by name, code limit :size offset :skip
