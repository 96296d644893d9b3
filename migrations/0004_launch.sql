-- What a record system has open for an app that it opens (SMART App Launch 2.2, "EHR Launch").
create table launch (
    tenant_id     text   not null,
    launch_id     text   not null,
    digest        text   not null,  -- of the value of the parameter `launch`
    client_id     text   not null,
    user_id       text   not null,
    fhir_base     text   not null,
    patient_id    text,
    encounter_id  text,
    context       text   not null,  -- JSON
    created_at    bigint not null,
    expires_at    bigint not null,
    flow_id       text,             -- the one authorization request that it is for
    primary key (tenant_id, launch_id),
    foreign key (tenant_id, client_id) references client (tenant_id, client_id) on delete cascade,
    foreign key (tenant_id, user_id) references user_account (tenant_id, user_id) on delete cascade,
    foreign key (tenant_id, fhir_base) references fhir_base (tenant_id, name) on delete cascade
);
create unique index launch_digest on launch (tenant_id, digest);
create index launch_expiry on launch (expires_at);

-- An EHR may name its user by their FHIR resource.
create index user_account_fhir_user on user_account (tenant_id, fhir_user);

alter table flow add column encounter_id text;
alter table flow add column no_encounter_at bigint;   -- the person goes on without one
alter table access_grant add column launch_context text;  -- JSON; null for a standalone launch
