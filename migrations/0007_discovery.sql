-- What the discovery document of a FHIR base says beside the server's own endpoints.
alter table fhir_base add column brand_bundle text;                             -- a URL
alter table fhir_base add column brand_identifier_system text;
alter table fhir_base add column brand_identifier_value text;
alter table fhir_base add column associated_endpoints text not null default '[]'; -- JSON list of { url, capabilities }
