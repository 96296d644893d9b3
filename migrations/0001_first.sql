-- The first tables. One text serves SQLite and PostgreSQL; a line that ends in `--sqlite` or
-- `--postgres` is for that database alone. The rules for columns stand in src/store/mod.rs.

-- One organisation: its issuer comes from the configuration, everything else hangs on it.
create table tenant (
    tenant_id    text   not null primary key,
    created_at   bigint not null,
    disabled_at  bigint
);

-- A FHIR server: the URLs that apps know it by, and the one audience that its validator sees.
create table fhir_base (
    tenant_id         text   not null references tenant (tenant_id),
    name              text   not null,
    audience          text   not null,
    public_urls       text   not null,  -- JSON list
    strategy          text   not null,  -- SMART_ON_FHIR or SMART_ON_FHIR_V1, as HealthLake names them
    smart_version     text   not null,
    access_token_alg  text   not null,
    created_at        bigint not null,
    primary key (tenant_id, name)
);
create unique index fhir_base_audience on fhir_base (tenant_id, audience);

-- An app (RFC 6749 section 2).
create table client (
    tenant_id                  text   not null references tenant (tenant_id),
    client_id                  text   not null,
    name                       text   not null,
    developer                  text,
    auth_method                text   not null,  -- token_endpoint_auth_method of RFC 7591
    grant_types                text   not null,  -- space-separated
    scopes                     text   not null,  -- space-separated: the most it may be given
    redirect_uris              text   not null,  -- JSON list
    post_logout_redirect_uris  text   not null,  -- JSON list
    fhir_bases                 text   not null,  -- JSON list of names; empty: every one
    id_token_alg               text   not null,
    refresh_grace              bigint not null,  -- seconds
    refresh_max_life           bigint,           -- seconds, from the approval on
    created_at                 bigint not null,
    verified_at                bigint,           -- an administrator knows who is behind it
    pre_approved_at            bigint,           -- clinicians are not asked for consent
    may_introspect_at          bigint,           -- may introspect other clients' tokens
    pkce_exempt_at             bigint,           -- STU1 apps and conformance suites only
    disabled_at                bigint,
    primary key (tenant_id, client_id)
);

create table client_secret (
    tenant_id   text   not null,
    client_id   text   not null,
    digest      text   not null,
    created_at  bigint not null,
    expires_at  bigint,
    primary key (tenant_id, client_id, digest),
    foreign key (tenant_id, client_id) references client (tenant_id, client_id) on delete cascade
);

-- The web origins from which browser apps may call the token endpoint.
create table client_origin (
    tenant_id  text not null,
    origin     text not null,
    client_id  text not null,
    primary key (tenant_id, origin, client_id),
    foreign key (tenant_id, client_id) references client (tenant_id, client_id) on delete cascade
);

-- A person who signs in.
create table user_account (
    tenant_id        text   not null references tenant (tenant_id),
    user_id          text   not null,
    username         text   not null,  -- in its canonical form
    display_name     text   not null,
    fhir_user        text,             -- such as Practitioner/a
    password_hash    text   not null,  -- PHC string
    password_set_at  bigint not null,
    created_at       bigint not null,
    disabled_at      bigint,
    primary key (tenant_id, user_id)
);
create unique index user_account_username on user_account (tenant_id, username);

-- Whom the picker can show, and who may open whom.
create table patient (
    tenant_id    text   not null,
    fhir_base    text   not null,
    patient_id   text   not null,
    name         text   not null,  -- as it is shown
    search_name  text   not null,  -- in lower case
    birth_date   text   not null,  -- YYYY-MM-DD, YYYY-MM, YYYY or nothing
    sex          text   not null,
    mrn          text   not null,
    imported_at  bigint not null,
    inactive_at  bigint,
    primary key (tenant_id, fhir_base, patient_id),
    foreign key (tenant_id, fhir_base) references fhir_base (tenant_id, name)
);
create table panel (
    tenant_id   text not null,
    fhir_base   text not null,
    fhir_user   text not null,
    patient_id  text not null,
    primary key (tenant_id, fhir_base, fhir_user, patient_id),
    foreign key (tenant_id, fhir_base, patient_id) references patient (tenant_id, fhir_base, patient_id) on delete cascade
);

-- A browser's sign-in.
create table session (
    tenant_id   text   not null,
    session_id  text   not null,
    digest      text   not null,
    user_id     text   not null,
    auth_time   bigint not null,
    seen_at     bigint not null,
    idle_life   bigint not null,  -- seconds
    expires_at  bigint not null,
    ended_at    bigint,
    primary key (tenant_id, session_id),
    foreign key (tenant_id, user_id) references user_account (tenant_id, user_id) on delete cascade
);
create unique index session_digest on session (tenant_id, digest);
create index session_of_user on session (tenant_id, user_id);
create index session_end on session (expires_at);

-- One authorization request: what was asked, and the facts learnt since.
create table flow (
    tenant_id        text   not null,
    flow_id          text   not null,
    browser_digest   text   not null,  -- of the cookie of the browser that it belongs to
    client_id        text   not null,
    ask              text   not null,  -- JSON
    created_at       bigint not null,
    expires_at       bigint not null,
    session_id       text,
    user_id          text,
    patient_id       text,
    approved_scopes  text,
    finished_at      bigint,
    primary key (tenant_id, flow_id),
    foreign key (tenant_id, client_id) references client (tenant_id, client_id) on delete cascade
);
create index flow_expiry on flow (expires_at);

-- What a person allowed an app to do; born with its authorization code.
create table access_grant (
    tenant_id           text   not null,
    grant_id            text   not null,
    client_id           text   not null,
    user_id             text   not null,
    session_id          text,
    fhir_base           text,
    audience            text   not null,
    scopes              text   not null,
    patient_id          text,
    encounter_id        text,
    fhir_user           text,
    nonce               text,
    auth_time           bigint not null,
    created_at          bigint not null,
    code_digest         text   not null,
    code_expires_at     bigint not null,
    code_failures       bigint not null,
    code_used_at        bigint,
    redirect_uri        text   not null,
    challenge           text,             -- null for a client that is exempt from PKCE
    refresh             text,             -- offline, online, or null: no refresh tokens
    refresh_expires_at  bigint,           -- absolute, where the client has one
    revoked_at          bigint,
    revoked_why         text,
    primary key (tenant_id, grant_id),
    foreign key (tenant_id, client_id) references client (tenant_id, client_id) on delete cascade,
    foreign key (tenant_id, user_id) references user_account (tenant_id, user_id) on delete cascade
);
create unique index access_grant_code on access_grant (tenant_id, code_digest);
create index access_grant_user on access_grant (tenant_id, user_id);
create index access_grant_client on access_grant (tenant_id, client_id);
create index access_grant_session on access_grant (tenant_id, session_id);

create table refresh_token (
    tenant_id         text   not null,
    digest            text   not null,
    grant_id          text   not null,
    parent_digest     text,
    issued_at         bigint not null,
    expires_at        bigint not null,
    rotated_at        bigint,
    successor_salt    text,  -- erased once the successor is used: see src/store/refresh.rs
    primary key (tenant_id, digest),
    foreign key (tenant_id, grant_id) references access_grant (tenant_id, grant_id) on delete cascade
);
create index refresh_token_grant on refresh_token (tenant_id, grant_id);
create index refresh_token_expiry on refresh_token (expires_at);
create index refresh_token_salt on refresh_token (rotated_at) where successor_salt is not null;

-- Access tokens that were revoked one by one; kept until they would have expired anyway.
create table revoked_token (
    tenant_id   text   not null,
    jti         text   not null,
    expires_at  bigint not null,
    primary key (tenant_id, jti)
);
create index revoked_token_expiry on revoked_token (expires_at);

-- Signing keys; the private half is sealed under the master key.
create table signing_key (
    tenant_id   text   not null references tenant (tenant_id),
    key_id      text   not null,
    purpose     text   not null,  -- access or id
    algorithm   text   not null,
    public_jwk  text   not null,
    sealed      text   not null,
    created_at  bigint not null,
    active_at   bigint not null,  -- signs from here on
    retired_at  bigint,           -- signs no more
    removed_at  bigint,           -- no longer published
    primary key (tenant_id, key_id)
);

-- Failed sign-ins: what an account owes, and what came from one address.
create table login_throttle (
    tenant_id     text   not null,
    account       text   not null,  -- digest of the canonical user name, existing or not
    attempts      bigint not null,
    failures      bigint not null,
    first_at      bigint not null,
    locked_until  bigint not null,
    primary key (tenant_id, account)
);
create table login_failure (
    tenant_id  text   not null,
    address    text   not null,  -- an IPv4 /24 or IPv6 /64
    account    text   not null,
    at_us      bigint not null,
    primary key (tenant_id, address, at_us, account)
);
create index login_failure_at on login_failure (at_us);

-- What happened. Written in the transaction of what it records.
create table audit (
    audit_id    integer not null primary key autoincrement,                    --sqlite
    audit_id    bigint  not null generated always as identity primary key,    --postgres
    tenant_id   text   not null,
    at_us       bigint not null,
    event       text   not null,
    outcome     text   not null,  -- success or refused
    user_id     text,
    client_id   text,
    patient_id  text,
    grant_id    text,
    session_id  text,
    jti         text,
    address     text,
    request_id  text,
    detail      text
);
create index audit_time on audit (tenant_id, at_us);
