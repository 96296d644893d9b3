-- Client assertions, and apps that register themselves.

-- The names of client assertions that were believed (RFC 7523 section 3): each is good once. They outlive the client, which may
-- come back under the same name and with the same key.
create table client_assertion (
    tenant_id   text   not null,
    client_id   text   not null,
    jti         text   not null,
    expires_at  bigint not null,  -- the last second in which it would be believed
    primary key (tenant_id, client_id, jti)
);
create index client_assertion_expiry on client_assertion (expires_at);

-- Initial access tokens of RFC 7591: who holds one may register so many apps.
create table registration_token (
    tenant_id   text   not null references tenant (tenant_id),
    token_id    text   not null,
    digest      text   not null,
    label       text   not null,  -- whom it was made for
    uses_left   bigint not null,
    created_at  bigint not null,
    expires_at  bigint not null,
    primary key (tenant_id, token_id)
);
create unique index registration_token_digest on registration_token (tenant_id, digest);

-- Apps that registered themselves: by which token, and the digest of the token that manages the registration (RFC 7592).
create table client_registration (
    tenant_id  text not null,
    client_id  text not null,
    digest     text not null,
    token_id   text not null,
    primary key (tenant_id, client_id),
    foreign key (tenant_id, client_id) references client (tenant_id, client_id) on delete cascade
);
