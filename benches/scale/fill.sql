-- Synthetic people, and what apps were allowed in their names: :rows of each, numbered from :from, as of the second :now.
-- One text for both databases. Names and digests are scattered over their indexes, as real ones are.
insert into user_account (tenant_id, user_id, username, display_name, fhir_user, password_hash, password_set_at, created_at)
with recursive n (i) as (select :from union all select i + 1 from n where i < :from + :rows - 1)
select 'default', 'u' || i, 'scale-' || i, 'Synthetic ' || i, 'Practitioner/scale-' || i, '', :now, :now from n;

insert into session (tenant_id, session_id, digest, user_id, auth_time, seen_at, idle_life, expires_at)
with recursive n (i) as (select :from union all select i + 1 from n where i < :from + :rows - 1)
select 'default', 's' || i, 'ss' || (i * 2654435761 % 4294967296), 'u' || i, :now, :now, 43200, :now + 43200 from n;

insert into flow (tenant_id, flow_id, browser_digest, client_id, ask, created_at, expires_at, user_id)
with recursive n (i) as (select :from union all select i + 1 from n where i < :from + :rows / 10)
select 'default', 'f' || (i * 2654435761 % 4294967296), 'sb' || i, ':client', '{}', :now, :now + 600, 'u' || i from n;

insert into access_grant (tenant_id, grant_id, client_id, user_id, session_id, fhir_base, audience, scopes, patient_id, auth_time,
                          created_at, code_digest, code_expires_at, code_failures, code_used_at, redirect_uri, refresh, refresh_family)
with recursive n (i) as (select :from union all select i + 1 from n where i < :from + :rows - 1)
select 'default', 'g' || i, ':client', 'u' || i, 's' || i, ':base', 'https://fhir.test/r4', 'openid offline_access patient/*.rs',
       'p' || (i % 100000), :now, :now, 'sc' || (i * 2654435761 % 4294967296), :now + 60, 0, :now, 'https://app.test/cb', 'offline',
       'rf' || (i * 2654435761 % 4294967296)
  from n;

insert into refresh_token (tenant_id, digest, grant_id, issued_at, expires_at)
with recursive n (i) as (select :from union all select i + 1 from n where i < :from + :rows - 1)
select 'default', 'sr' || (i * 2654435761 % 4294967296), 'g' || i, :now, :now + 8035200 - i % 86400 from n;

insert into remembered_consent (tenant_id, client_id, user_id, fhir_base, patient_id, asked, approved, registered, decided_at, expires_at)
with recursive n (i) as (select :from union all select i + 1 from n where i < :from + :rows - 1)
select 'default', ':client', 'u' || i, ':base', 'p' || (i % 100000), 'openid', 'openid', 'openid', :now, :now + 31536000 from n;

insert into client_assertion (tenant_id, client_id, jti, expires_at)
with recursive n (i) as (select :from union all select i + 1 from n where i < :from + :rows / 10)
select 'default', ':client', 'j' || (i * 2654435761 % 4294967296), :now + 300 from n;

insert into revoked_token (tenant_id, jti, expires_at)
with recursive n (i) as (select :from union all select i + 1 from n where i < :from + :rows / 10)
select 'default', 'r' || (i * 2654435761 % 4294967296), :now + 600 from n;

insert into login_throttle (tenant_id, account, attempts, failures, first_at, locked_until)
with recursive n (i) as (select :from union all select i + 1 from n where i < :from + :rows / 10)
select 'default', 'a' || (i * 2654435761 % 4294967296), 1, 1, :now, 0 from n;

insert into login_failure (tenant_id, address, account, at_us)
with recursive n (i) as (select :from union all select i + 1 from n where i < :from + :rows / 10)
select 'default', '198.51.' || (i % 256) || '.0', 'a' || i, cast(:now as bigint) * 1000000 + i from n;
