-- Where the patients of a FHIR base are looked up, who may open whom, and emergency access.

alter table fhir_base add column patient_source text not null default 'table';  -- table or fhir
alter table fhir_base add column panels text not null default 'list';  -- space-separated: list general-practitioner care-team
alter table fhir_base add column emergency_access_at bigint;  -- clinicians may open patients outside of their panels
alter table fhir_base add column majority bigint not null default 18;  -- years; 0: nobody comes of age

alter table patient add column search_mrn text not null default '';  -- in lower case, at most 200 characters
update patient set search_mrn = substr(lower(trim(mrn)), 1, 200);
create index patient_mrn on patient (tenant_id, fhir_base, search_mrn);
create index patient_birth on patient (tenant_id, fhir_base, birth_date);

-- Anew, because a list may hold patients who live in the FHIR server and not here.
alter table panel rename to old_panel;
create table panel (
    tenant_id   text   not null,
    fhir_base   text   not null,
    fhir_user   text   not null,
    patient_id  text   not null,
    since       bigint,  -- when it was given; null where nobody knows
    primary key (tenant_id, fhir_base, fhir_user, patient_id),
    foreign key (tenant_id, fhir_base) references fhir_base (tenant_id, name)
);
insert into panel (tenant_id, fhir_base, fhir_user, patient_id, since)
select tenant_id, fhir_base, fhir_user, patient_id, null from old_panel;  -- the last import of a patient says nothing of the first
drop table old_panel;
create index panel_patient on panel (tenant_id, fhir_base, patient_id, fhir_user);

-- What a search within one person's panel may begin with, in the order in which it is shown: with a million
-- patients on it, a page is still one short walk along this key.
create table panel_term (
    tenant_id   text not null,
    fhir_base   text not null,
    fhir_user   text not null,
    kind        text not null,               -- name: the whole name, once per patient; find: the name, turned so that each of its words is first; MRN; birth date
    term        text not null,               --sqlite
    term        text collate "C" not null,   --postgres
    patient_id  text not null,
    primary key (tenant_id, fhir_base, fhir_user, kind, term, patient_id),
    foreign key (tenant_id, fhir_base, fhir_user, patient_id)
        references panel (tenant_id, fhir_base, fhir_user, patient_id) on delete cascade
) without rowid;  --sqlite
);                --postgres
create index panel_term_patient on panel_term (tenant_id, fhir_base, patient_id, fhir_user);

-- Back-fill: what src/store/term.rs writes for the patients who are there already.
insert into panel_term (tenant_id, fhir_base, fhir_user, kind, term, patient_id)
with recursive part (tenant_id, fhir_base, patient_id, word, before) as (
    select tenant_id, fhir_base, patient_id, search_name, '' from patient where inactive_at is null
    union
    select tenant_id, fhir_base, patient_id,
           substr(word, instr(replace(word, '-', ' '), ' ') + 1), before || substr(word, 1, instr(replace(word, '-', ' '), ' '))      --sqlite
           substr(word, strpos(replace(word, '-', ' '), ' ') + 1), before || substr(word, 1, strpos(replace(word, '-', ' '), ' '))  --postgres
      from part
     where instr(replace(word, '-', ' '), ' ') > 0   --sqlite
     where strpos(replace(word, '-', ' '), ' ') > 0  --postgres
), every (tenant_id, fhir_base, patient_id, kind, term) as (
    select tenant_id, fhir_base, patient_id, 'find', rtrim(word || ' ' || before)
      from part
     where word <> '' and substr(word, 1, 1) not in (' ', '-')
    union
    select tenant_id, fhir_base, patient_id, 'name', search_name from patient where inactive_at is null
    union
    select tenant_id, fhir_base, patient_id, 'find', search_mrn from patient where inactive_at is null
    union
    select tenant_id, fhir_base, patient_id, 'find', birth_date from patient where inactive_at is null
)
select distinct o.tenant_id, o.fhir_base, o.fhir_user, e.kind, substr(e.term, 1, 200), e.patient_id
  from every e
  join panel o on o.tenant_id = e.tenant_id and o.fhir_base = e.fhir_base and o.patient_id = e.patient_id
 where e.term <> '';
-- End of the back-fill.

-- Visits of the patients in our own tables.
create table encounter (
    tenant_id     text not null,
    fhir_base     text not null,
    encounter_id  text not null,
    patient_id    text not null,
    status        text not null,
    class         text not null,
    reason        text not null,
    started       text not null,  -- as FHIR has it, or nothing
    ended         text not null,
    primary key (tenant_id, fhir_base, encounter_id),
    foreign key (tenant_id, fhir_base, patient_id) references patient (tenant_id, fhir_base, patient_id) on delete cascade
);
create index encounter_patient on encounter (tenant_id, fhir_base, patient_id, started);

-- Why somebody outside of a panel was opened.
alter table flow add column emergency_reason text;
alter table access_grant add column emergency_reason text;

-- Whom a person opened last.
create index access_grant_recent on access_grant (tenant_id, user_id, created_at);
