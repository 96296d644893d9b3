-- What the bare transactions work on: as many rows as 256 clients use, each with its own thousand.
create table bare_row (place bigint primary key, body text not null, used_at bigint not null);
create table bare_token (place bigint primary key, body text not null);
create table bare_trail (entry bigint generated always as identity primary key, place bigint not null, body text not null);
insert into bare_row select place, repeat('x', 200), 0 from generate_series(0, 255999) as place;
insert into bare_token select place, repeat('x', 43) from generate_series(0, 255999) as place;
analyze bare_row, bare_token;
