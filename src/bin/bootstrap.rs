//! The token validator as a Lambda function, which AWS calls `bootstrap`. Its settings are in its
//! environment: see `Validator::from_environment`.

/// One event at a time: that is how Lambda sends them.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    admit::lambda::run().await
}
