-- After a restore, what was given before it is worth nothing.

alter table tenant add column valid_from bigint;  -- what was issued before this second is refused; null: nothing was ever restored
