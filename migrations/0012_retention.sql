-- Indexes and columns that let old data go without reading the new. Each index begins with the tenant, as each statement does.

-- What the refresh tokens of a grant have in common: a used one is known by it once its own row is gone.
alter table access_grant add column refresh_family text;
create unique index access_grant_family on access_grant (tenant_id, refresh_family) where refresh_family is not null;
-- A rotated token now ends with its grace. Whoever lost an answer in the very seconds of this upgrade signs in again.
update refresh_token set successor_salt = null where successor_salt is not null;
drop index refresh_token_salt;
drop index refresh_token_expiry;
create index refresh_token_expiry on refresh_token (tenant_id, expires_at);

-- Grants that no refresh token keeps alive, and those that have ended.
create index access_grant_spent on access_grant (tenant_id, code_expires_at) where refresh is null or code_used_at is null;
create index access_grant_revoked on access_grant (tenant_id, revoked_at) where revoked_at is not null;
drop index access_grant_session;
create index access_grant_session on access_grant (tenant_id, session_id) where refresh = 'online';

-- By when a session has ended, by rest or by age.
create index session_rest on session
    (tenant_id, (case when seen_at + idle_life < expires_at then seen_at + idle_life else expires_at end)) where ended_at is null;
drop index session_end;
create index session_end on session (tenant_id, expires_at);

drop index flow_expiry;  -- flow_live has the tenant
create index flow_user on flow (tenant_id, user_id) where user_id is not null;
drop index launch_expiry;
create index launch_expiry on launch (tenant_id, expires_at);
drop index revoked_token_expiry;
create index revoked_token_expiry on revoked_token (tenant_id, expires_at);
drop index client_assertion_expiry;
create index client_assertion_expiry on client_assertion (tenant_id, expires_at);
drop index remembered_consent_expiry;
create index remembered_consent_expiry on remembered_consent (tenant_id, expires_at);
drop index login_failure_at;
create index login_failure_at on login_failure (tenant_id, at_us);
create index login_throttle_first on login_throttle (tenant_id, first_at);

-- In the order in which they are shown: without it, SQLite walks all people in that order instead.
drop index user_account_fhir_user;
create index user_account_fhir_user on user_account (tenant_id, fhir_user, username);

-- What is asked of all clients at once.
create index client_origin_client on client_origin (tenant_id, client_id);
create index client_id_token_alg on client (tenant_id, id_token_alg);
create index client_launch on client (tenant_id, client_id) where launch_uri is not null;
create index client_pkce_exempt on client (tenant_id, client_id) where pkce_exempt_at is not null;
