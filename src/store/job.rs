//! Who does what comes up every now and then: one of all instances.

use time::Duration;

use super::{Error, Store, change, seconds};
use crate::audit::Origin;

impl Store {
    /// Claims a job that is due `every` so often. `true` for one of all instances, which then does
    /// it; should that one die, another has its turn when it is due again.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn claim_job(&self, origin: &Origin, name: &'static str, every: Duration) -> Result<bool, Error> {
        let origin = origin.clone();
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "insert into job (tenant_id, name, due_at) values ($1, $2, $4)
                                 on conflict (tenant_id, name) do update set due_at = excluded.due_at where job.due_at <= $3";
                let now = seconds(origin.now);
                let claimed = change!(
                    &mut conn,
                    sqlx::query(statement).bind(origin.tenant.as_str()).bind(name).bind(now).bind(now + every.whole_seconds())
                )?;
                Ok(claimed > 0)
            })
        })
        .await
    }
}
