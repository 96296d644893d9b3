//! The token validator as a Lambda function, which AWS calls `bootstrap`. Its settings are in its
//! environment: see `Validator::from_environment`.

/// musl's own gives pages back to the kernel and asks for them again, several times per event: a sixth of its time. The C of
/// AWS-LC keeps to musl's.
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// One event at a time: that is how Lambda sends them.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    admit::lambda::run().await
}
