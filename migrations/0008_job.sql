-- What the instances do of their own accord, one of them at a time.

create table job (
    tenant_id  text   not null references tenant (tenant_id),
    name       text   not null,
    due_at     bigint not null,  -- whoever moves it on does the work
    primary key (tenant_id, name)
);
