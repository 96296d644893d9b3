-- The audit trail: chained per tenant, with signed checkpoints, and read along indexes.

alter table audit add column agent text;  -- who gave a command at the terminal
alter table audit add column seq bigint;  -- its place in the tenant's chain, once it is sealed
alter table audit add column hash text;

-- Where a tenant's chain begins and ends.
create table audit_chain (
    tenant_id       text   not null primary key references tenant (tenant_id),
    seq             bigint not null,  -- of the last entry; whoever moves it on seals
    hash            text   not null,
    start_seq       bigint not null,  -- of the last entry that was purged
    start_hash      text   not null,
    checkpoint_seq  bigint not null,  -- of the last checkpoint; whoever moves it on signs
    checkpoint_at   bigint not null
);

create table audit_checkpoint (
    tenant_id  text   not null references tenant (tenant_id),
    seq        bigint not null,
    hash       text   not null,
    at         bigint not null,
    jws        text   not null,
    primary key (tenant_id, seq)
);

-- How far the chain was written out, and who does it at the moment.
create table audit_tail (
    tenant_id   text   not null references tenant (tenant_id),
    sink        text   not null,
    seq         bigint not null,
    holder      text   not null,
    held_until  bigint not null,
    primary key (tenant_id, sink)
);

-- What is asked by is indexed when an entry is sealed, not while a request waits.
create index audit_unsealed on audit (tenant_id, audit_id) where seq is null;
create unique index audit_seq on audit (tenant_id, seq) where seq is not null;
create index audit_event on audit (tenant_id, event, at_us) where seq is not null;
create index audit_user on audit (tenant_id, user_id, at_us) where seq is not null and user_id is not null;
create index audit_client on audit (tenant_id, client_id, at_us) where seq is not null and client_id is not null;
create index audit_patient on audit (tenant_id, patient_id, at_us) where seq is not null and patient_id is not null;

-- An entry stays as it was written, is sealed once, and goes when the chain's beginning has passed it.
create trigger audit_as_written before update of audit_id, tenant_id, at_us, event, outcome, user_id, client_id, patient_id,   --sqlite
       grant_id, session_id, jti, address, agent, request_id, detail on audit                                                 --sqlite
begin select raise(abort, 'an audit entry stays as it was written'); end;                                                     --sqlite
create trigger audit_sealed_once before update of seq, hash on audit when old.seq is not null                                 --sqlite
begin select raise(abort, 'an audit entry is sealed once'); end;                                                              --sqlite
create trigger audit_kept before delete on audit                                                                              --sqlite
  when old.seq is null                                                                                                        --sqlite
    or old.seq > coalesce((select c.start_seq from audit_chain c where c.tenant_id = old.tenant_id), 0)                       --sqlite
begin select raise(abort, 'an audit entry is kept'); end;                                                                     --sqlite
create function audit_refuse() returns trigger language plpgsql as                                                            --postgres
$$ begin raise exception 'an audit entry stays as it was written'; end $$;                                                    --postgres
create function audit_refuse_young() returns trigger language plpgsql as                                                      --postgres
$$ begin                                                                                                                      --postgres
  if old.seq <= (select c.start_seq from audit_chain c where c.tenant_id = old.tenant_id) then return old; end if;            --postgres
  raise exception 'an audit entry is kept';                                                                                   --postgres
end $$;                                                                                                                       --postgres
create trigger audit_as_written before update of audit_id, tenant_id, at_us, event, outcome, user_id, client_id, patient_id,   --postgres
       grant_id, session_id, jti, address, agent, request_id, detail on audit                                                 --postgres
       for each row execute function audit_refuse();                                                                          --postgres
create trigger audit_sealed_once before update of seq, hash on audit                                                          --postgres
       for each row when (old.seq is not null) execute function audit_refuse();                                               --postgres
create trigger audit_kept before delete on audit for each row execute function audit_refuse_young();                          --postgres
create trigger audit_not_truncated before truncate on audit for each statement execute function audit_refuse();               --postgres
