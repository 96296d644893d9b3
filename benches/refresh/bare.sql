-- As many statements as a refresh makes, of the same kinds: client, grant, person and patient are read; then the token is
-- taken, its grant read, its parent deleted, its successor inserted, and the audit entry with them.
\set place :client_id * 1000 + random(0, 999)
select body from bare_row where place = :place;
select body from bare_row where place = :place;
select body from bare_row where place = :place;
select body from bare_row where place = :place;
begin;
update bare_row set used_at = used_at + 1 where place = :place returning used_at;
select body from bare_row where place = :place;
delete from bare_token where place = :place;
insert into bare_token (place, body) values (:place, repeat('x', 43));
insert into bare_trail (place, body) values (:place, repeat('x', 200)) returning entry;
commit;
