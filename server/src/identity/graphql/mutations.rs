//! What people change of their own account. Signing in, up and out, and forgotten passwords, are forms: they begin and end sessions.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use orgtrail::identity::{account, email_change, sessions};
use orgtrail_app::identity::server_fns::renew;
use tower_sessions::Session;

use super::viewer::Viewer;
use crate::graphql::schema::asked;

/// What people change of their own account.
#[derive(Default)]
pub struct ViewerMutations;

#[Object]
impl ViewerMutations {
    /// Gives who is signed in another name.
    async fn update_viewer(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: UpdateViewerInput,
    ) -> Option<Result<UpdateViewerPayload>> {
        Some(input.run(context).await)
    }

    /// Gives who is signed in another password. All their other sessions end.
    async fn change_password(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: ChangePasswordInput,
    ) -> Option<Result<ChangePasswordPayload>> {
        Some(input.run(context).await)
    }

    /// Mails a link to another address of who is signed in; it is theirs once they confirm it.
    async fn request_email_change(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: RequestEmailChangeInput,
    ) -> Option<Result<RequestEmailChangePayload>> {
        Some(input.run(context).await)
    }

    /// Gives who is signed in the address that a mailed link confirms.
    async fn confirm_email(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: ConfirmEmailInput,
    ) -> Option<Result<ConfirmEmailPayload>> {
        Some(input.run(context).await)
    }

    /// Ends one of one’s own sessions.
    async fn end_session(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: EndSessionInput,
    ) -> Option<Result<EndSessionPayload>> {
        Some(input.run(context).await)
    }

    /// Ends all of one’s own sessions but the one that asks.
    async fn end_other_sessions(&self, context: &Context<'_>) -> Option<Result<EndOtherSessionsPayload>> {
        Some(end_other_sessions(context).await)
    }
}

/// What one is called from now on.
#[derive(InputObject)]
pub struct UpdateViewerInput {
    /// Name.
    name: String,
    /// The name that one has, as far as is known: if it is another one, `CONFLICT`.
    expected_name: Option<String>,
}

/// An account that was changed.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct UpdateViewerPayload {
    /// Who is signed in.
    viewer: Viewer,
}

impl UpdateViewerInput {
    async fn run(self, context: &Context<'_>) -> Result<UpdateViewerPayload> {
        let (platform, viewer) = asked(context)?;
        account::rename(platform, viewer, &self.name, self.expected_name.as_deref()).await?;
        Ok(UpdateViewerPayload { viewer: Viewer::find(context)?.renamed(self.name.trim().to_owned()) })
    }
}

/// Which password to have instead of which.
#[derive(InputObject)]
pub struct ChangePasswordInput {
    /// The present password.
    current_password: String,
    /// The new one.
    new_password: String,
}

/// An account whose password was changed.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct ChangePasswordPayload {
    /// Who is signed in.
    viewer: Viewer,
}

impl ChangePasswordInput {
    async fn run(self, context: &Context<'_>) -> Result<ChangePasswordPayload> {
        let (platform, viewer) = asked(context)?;
        let signed_in = account::change_password(platform, viewer, &self.current_password, &self.new_password).await?;
        renew(context.data::<Session>()?, signed_in).await?;
        Ok(ChangePasswordPayload { viewer: Viewer::find(context)? })
    }
}

/// Which address to have from now on.
#[derive(InputObject)]
pub struct RequestEmailChangeInput {
    /// The new e-mail address.
    email: String,
    /// The present password.
    current_password: String,
}

/// A link that was mailed.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct RequestEmailChangePayload {
    /// Where it was mailed.
    email: String,
}

impl RequestEmailChangeInput {
    async fn run(self, context: &Context<'_>) -> Result<RequestEmailChangePayload> {
        let (platform, viewer) = asked(context)?;
        email_change::request(platform, viewer, &self.email, &self.current_password).await?;
        Ok(RequestEmailChangePayload { email: self.email })
    }
}

/// Which address to confirm.
#[derive(InputObject)]
pub struct ConfirmEmailInput {
    /// The last part of the link.
    secret: String,
}

/// An account whose address was changed.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct ConfirmEmailPayload {
    /// Who is signed in.
    viewer: Viewer,
}

impl ConfirmEmailInput {
    async fn run(self, context: &Context<'_>) -> Result<ConfirmEmailPayload> {
        let (platform, viewer) = asked(context)?;
        let email = email_change::look(platform, viewer, &self.secret).await?;
        email_change::confirm(platform, viewer, &self.secret).await?;
        Ok(ConfirmEmailPayload { viewer: Viewer::find(context)?.moved(email) })
    }
}

/// Which session to end.
#[derive(InputObject)]
pub struct EndSessionInput {
    /// Id of the session.
    id: ID,
}

/// A session that was ended.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct EndSessionPayload {
    /// Id of the session.
    ended_session_id: ID,
}

impl EndSessionInput {
    async fn run(self, context: &Context<'_>) -> Result<EndSessionPayload> {
        let (platform, viewer) = asked(context)?;
        sessions::end(platform, viewer, &self.id).await?;
        Ok(EndSessionPayload { ended_session_id: self.id })
    }
}

/// Sessions that were ended.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct EndOtherSessionsPayload {
    /// Who is signed in.
    viewer: Viewer,
}

async fn end_other_sessions(context: &Context<'_>) -> Result<EndOtherSessionsPayload> {
    let (platform, viewer) = asked(context)?;
    sessions::end_others(platform, viewer).await?;
    Ok(EndOtherSessionsPayload { viewer: Viewer::find(context)? })
}
