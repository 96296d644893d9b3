-- What SMART App Launch and the consent page need to know of an app.
alter table client add column website text;
alter table client add column policy_uri text;
alter table client add column tos_uri text;
alter table client add column attested text;                                      -- yes or no; null: not answered
alter table client add column asks_clinicians text not null default 'always';     -- always, remembered or pre-approved
alter table client add column asks_patients text not null default 'always';       -- always or remembered
alter table client add column launch_uri text;
alter table client add column smart_version text;                                 -- null: the FHIR base's
alter table client add column jwks text;                                          -- a JWK Set
alter table client add column jwks_uri text;
alter table client add column assertion_algs text not null default 'RS384 ES384'; -- space-separated
alter table client add column issuer_only_at bigint;                              -- assertions name the issuer, not the token endpoint
alter table client add column awaits_approval_since bigint;                       -- it registered itself
update client set asks_clinicians = 'pre-approved' where pre_approved_at is not null;
alter table client drop column pre_approved_at;
