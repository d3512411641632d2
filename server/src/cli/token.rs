//! `orgtrail token …`.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use orgtrail::identity::access_token::expiry::Expiry;
use orgtrail::identity::access_token::{self, CreatedToken, Scope, Wanted, graphs, list};
use orgtrail::identity::view::access_token::TokenRow;
use orgtrail::identity::viewer::Viewer;
use uuid::Uuid;

use super::{Done, with_database};
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Make an access token, and print it: on standard output, once, and nothing else.
    Create(Create),
    /// List the access tokens: id, state, name, scopes, creator, last day and last use, with tabs between them.
    List(List),
    /// Give an access token another secret, and print it: the present one ends at once.
    Rotate(One),
    /// Revoke an access token for good.
    Revoke(One),
    /// Let an access token do something with a graph, instead of what it might do before.
    Grant(Grant),
    /// Take an access token's permission for a graph away.
    Withdraw(Withdraw),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// Slug of the organization.
    #[arg(long)]
    organization: String,
    /// Name of the token, as the trail shows it.
    #[arg(long)]
    name: String,
    /// What it may do: audit:read, audit:export, events:write, models:write, models:export, graphs:write, organization:write.
    #[arg(long = "scope", required = true, num_args = 1..)]
    scopes: Vec<String>,
    /// Last day on which it is good, like 2027-01-31 (UTC); without it the token does not expire.
    #[arg(long, default_value = "")]
    expires_on: String,
    /// The only addresses and networks from which it is good, with commas between them; without it, from everywhere.
    #[arg(long, default_value = "")]
    addresses: String,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Slug of the organization.
    #[arg(long)]
    organization: String,
}

#[derive(Debug, Args)]
pub(super) struct One {
    /// Slug of the organization.
    #[arg(long)]
    organization: String,
    /// Id of the token, as `orgtrail token list` shows it.
    #[arg(long)]
    id: Uuid,
}

#[derive(Debug, Args)]
pub(super) struct Grant {
    #[command(flatten)]
    token: One,
    /// Slug of the graph.
    #[arg(long)]
    graph: String,
    /// What it may do: read, publish or admin; each includes those before it.
    #[arg(long)]
    permission: String,
}

#[derive(Debug, Args)]
pub(super) struct Withdraw {
    #[command(flatten)]
    token: One,
    /// Slug of the graph.
    #[arg(long)]
    graph: String,
}

impl TokenCommand {
    pub(super) async fn run(self, config: &Config) -> Done {
        match self {
            Self::Create(create) => create.run(config).await,
            Self::List(list) => list.run(config).await,
            Self::Rotate(one) => one.rotate(config).await,
            Self::Revoke(one) => one.revoke(config).await,
            Self::Grant(grant) => grant.run(config).await,
            Self::Withdraw(withdraw) => withdraw.run(config).await,
        }
    }

    #[cfg(test)]
    pub(super) fn scopes(&self) -> &[String] {
        match self {
            Self::Create(create) => &create.scopes,
            _ => &[],
        }
    }
}

impl Create {
    async fn run(self, config: &Config) -> Done {
        let scopes = Scope::parse_all(&self.scopes)?;
        let (expiry, addresses) = (Expiry::LastDay(&self.expires_on), self.addresses.as_str());
        let wanted = Wanted { name: &self.name, scopes: &scopes, expiry, addresses };
        let made = with_database(config, async |opened| {
            let (platform, operator) = (&opened.platform, Viewer::operator());
            access_token::create(platform, &operator, &self.organization, None, wanted).await
        });
        print(&made.await?);
        Ok(())
    }
}

impl List {
    async fn run(self, config: &Config) -> Done {
        let page = with_database(config, async |opened| {
            list::page(&opened.platform, &Viewer::operator(), &self.organization, "").await
        });
        let lines: String = page.await?.tokens.into_iter().map(line).collect();
        match io::stdout().write_all(lines.as_bytes()) {
            Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => Err(cause.into()),
            _ => Ok(()), // who reads only the first ones, as `head` does, has what they want
        }
    }
}

impl One {
    async fn rotate(self, config: &Config) -> Done {
        let rotated = with_database(config, async |opened| {
            access_token::rotate(&opened.platform, &Viewer::operator(), &self.organization, self.id).await
        });
        print(&rotated.await?);
        Ok(())
    }

    async fn revoke(self, config: &Config) -> Done {
        with_database(config, async |opened| {
            access_token::revoke(&opened.platform, &Viewer::operator(), &self.organization, self.id).await
        })
        .await?;
        eprintln!("The access token {} is revoked.", self.id);
        Ok(())
    }
}

impl Grant {
    async fn run(self, config: &Config) -> Done {
        let One { organization, id } = &self.token;
        with_database(config, async |opened| {
            let (platform, operator) = (&opened.platform, Viewer::operator());
            graphs::grant(platform, &operator, organization, (*id).into(), &self.graph, &self.permission).await
        })
        .await?;
        eprintln!("The access token {id} has permission {} for the graph {}.", self.permission, self.graph);
        Ok(())
    }
}

impl Withdraw {
    async fn run(self, config: &Config) -> Done {
        let One { organization, id } = &self.token;
        with_database(config, async |opened| {
            graphs::withdraw(&opened.platform, &Viewer::operator(), organization, (*id).into(), &self.graph).await
        })
        .await?;
        eprintln!("The access token {id} has no permission for the graph {} any more.", self.graph);
        Ok(())
    }
}

fn print(made: &CreatedToken) {
    println!("{}", made.secret.expose());
}

/// One token; names hold no control characters here, and so no tab.
fn line(token: TokenRow) -> String {
    let TokenRow { id, name, scopes, state, creator, expires, last_used, .. } = token;
    let end = expires.unwrap_or_else(|| "does not expire".to_owned());
    let used = last_used.map_or_else(|| "never used".to_owned(), |at| at.rfc3339);
    [id, state, name, scopes.join(","), creator, end, used].join("\t") + "\n"
}
