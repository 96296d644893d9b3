-- What a person decided about an app, where they need not be asked each time.
create table remembered_consent (
    tenant_id   text   not null,
    client_id   text   not null,
    user_id     text   not null,
    fhir_base   text   not null,  -- nothing: a plain sign-in
    patient_id  text   not null,  -- nothing: no patient was chosen
    asked       text   not null,  -- the scopes that the person was asked about
    approved    text   not null,  -- what they allowed of them
    registered  text   not null,  -- the most that the client could be given at the time
    decided_at  bigint not null,
    expires_at  bigint not null,
    used_at     bigint,           -- when it last answered for the person
    primary key (tenant_id, client_id, user_id, fhir_base, patient_id),
    foreign key (tenant_id, client_id) references client (tenant_id, client_id) on delete cascade,
    foreign key (tenant_id, user_id) references user_account (tenant_id, user_id) on delete cascade
);
-- All of the key's columns: else SQLite takes the key, which has everything, and reads the tenant.
create index remembered_consent_user on remembered_consent (tenant_id, user_id, client_id, fhir_base, patient_id);
create index remembered_consent_patient on remembered_consent (tenant_id, patient_id, client_id, user_id, fhir_base);
create index remembered_consent_expiry on remembered_consent (expires_at);

-- The picture by which people know an app, served from an address that has its digest in it.
create table client_logo (
    tenant_id  text   not null,
    client_id  text   not null,
    digest     text   not null,
    kind       text   not null,  -- its media type
    data       text   not null,  -- base64url
    set_at     bigint not null,
    primary key (tenant_id, client_id),
    foreign key (tenant_id, client_id) references client (tenant_id, client_id) on delete cascade
);
create index client_logo_digest on client_logo (tenant_id, digest);

-- Access is listed and taken away by person, app or patient.
create index access_grant_patient on access_grant (tenant_id, patient_id);
drop index access_grant_user;  -- access_grant_recent begins with the same columns
create index flow_live on flow (tenant_id, expires_at);

-- In the order in which they are shown: without it, SQLite walks all patients of a base in that order instead.
drop index patient_mrn;
create index patient_mrn on patient (tenant_id, fhir_base, search_mrn, patient_id);
drop index patient_birth;
create index patient_birth on patient (tenant_id, fhir_base, birth_date, patient_id);
