-- Signing keys: revocation, and master keys that a key management service has wrapped.

alter table signing_key add column revoked_at bigint;  -- an administrator withdrew it: it verifies nothing any more

-- From here on `sealed` is empty once a key is no longer published, or is revoked: its private half is erased. The public half
-- stays, so that what it signed can be looked into later.

create table wrapped_master_key (
    tenant_id   text   not null references tenant (tenant_id),
    kms_key     text   not null,  -- as the settings name it
    wrapped     text   not null,  -- base64url: the service alone opens it
    created_at  bigint not null,
    primary key (tenant_id, kms_key)
);
