//! Why the demo does not start.

/// Each a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Somebody else's data.
    #[error(
        "this database holds other organizations: the demo fills one of its own only. Give it another ORGTRAIL_DATA_DIR or DATABASE_URL, or use `orgtrail serve`"
    )]
    OtherOrganizations,
    /// Somebody else's organization with the demo's slug.
    #[error(
        "this database holds an organization `acme` that the demo did not make. Give it another ORGTRAIL_DATA_DIR or DATABASE_URL, or use `orgtrail serve`"
    )]
    OtherAcme,
    /// The default password, for everybody.
    #[error(
        "{variable}: with the default password the demo is for this machine only, not for {reached}. Set ORGTRAIL_DEMO_PASSWORD to another one first"
    )]
    Exposed {
        /// What opens it.
        variable: &'static str,
        /// To whom.
        reached: String,
    },
    /// A password that cannot be one.
    #[error("ORGTRAIL_DEMO_PASSWORD: {0}")]
    Password(orgtrail::Error),
    /// What a use case says.
    #[error(transparent)]
    Failed(#[from] orgtrail::Error),
}

impl From<sqlx::Error> for DemoError {
    fn from(cause: sqlx::Error) -> Self {
        Self::Failed(cause.into())
    }
}
