//! How far the chain was written out, for whoever collects it. Of several instances one writes; should
//! it die, another goes on from the place that was written down last: at least once, in order.

use time::{Duration, OffsetDateTime};

use super::{Error, Store, change, on, read, seconds};
use crate::audit::Origin;
use crate::id::TenantId;

impl Store {
    /// Whether the chain has entries that this sink was not given yet.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn has_audit_tail(&self, tenant: &TenantId, sink: &'static str) -> Result<bool, Error> {
        let statement = "select count(*)
                           from audit_chain c
                           left join audit_tail t on t.tenant_id = c.tenant_id and t.sink = $2
                          where c.tenant_id = $1 and c.seq > coalesce(t.seq, 0)";
        let count: i64 = read!(self, c => sqlx::query_scalar(statement).bind(tenant.as_str()).bind(sink).fetch_one(c))?;
        Ok(count > 0)
    }

    /// Takes the sink for so long, and says from where it goes on; `None` while another holds it.
    /// A new sink begins with the oldest entry there is.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn take_audit_tail(&self, origin: &Origin, sink: &'static str, holder: &str, life: Duration) -> Result<Option<i64>, Error> {
        let (origin, holder) = (origin.clone(), holder.to_owned());
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "insert into audit_tail (tenant_id, sink, seq, holder, held_until)
                                 select c.tenant_id, $2, c.start_seq, $3, $5 from audit_chain c where c.tenant_id = $1
                                 on conflict (tenant_id, sink) do update
                                    set holder = excluded.holder, held_until = excluded.held_until,
                                        seq = case when audit_tail.seq < excluded.seq then excluded.seq else audit_tail.seq end
                                  where audit_tail.holder = excluded.holder or audit_tail.held_until <= $4
                              returning seq";
                Ok(on!(&mut conn, c => sqlx::query_scalar(statement)
                    .bind(origin.tenant.as_str())
                    .bind(sink)
                    .bind(&holder)
                    .bind(seconds(origin.now))
                    .bind(seconds(origin.now + life))
                    .fetch_optional(c))?)
            })
        })
        .await
    }

    /// Writes down that the sink has everything up to `to`, and holds it on until `until`. `false` where another has taken
    /// it meanwhile: it goes on from what was written down before.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn move_audit_tail(
        &self,
        origin: &Origin,
        sink: &'static str,
        holder: &str,
        to: i64,
        until: OffsetDateTime,
    ) -> Result<bool, Error> {
        let (origin, holder) = (origin.clone(), holder.to_owned());
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "update audit_tail set seq = $4, held_until = $5
                                  where tenant_id = $1 and sink = $2 and holder = $3 and seq < $4";
                let moved = change!(
                    &mut conn,
                    sqlx::query(statement).bind(origin.tenant.as_str()).bind(sink).bind(&holder).bind(to).bind(seconds(until))
                )?;
                Ok(moved > 0)
            })
        })
        .await
    }
}
