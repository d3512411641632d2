//! The three files of settings in the cluster, written anew before each start.

use std::path::Path;

use super::account::{Account, root_name};
use super::{ClusterError, PORT, Role, files};

/// An audit log on a small machine: nothing acknowledged is ever lost, and little memory is taken.
const POSTGRESQL_CONF: &str = "\
# Written anew by Orgtrail at each start. To change a setting for good use ALTER SYSTEM, which wins over this file.

# Who can connect: nobody but through the socket.
listen_addresses = ''
unix_socket_permissions = 0700

# What is acknowledged is on the disk.
fsync = on
full_page_writes = on
synchronous_commit = on
max_wal_size = 2GB

# A small machine, with a solid-state disk.
shared_buffers = 256MB
effective_cache_size = 1GB
work_mem = 16MB
maintenance_work_mem = 128MB
random_page_cost = 1.1
jit = off

# The query of a client that has gone away ends.
client_connection_check_interval = 2s

# The same on every machine.
timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'iso, ymd'
lc_messages = 'C'
lc_monetary = 'C.UTF-8'
lc_numeric = 'C.UTF-8'
lc_time = 'C.UTF-8'
default_text_search_config = 'pg_catalog.simple'

# A week of logs in postgres/log, without the values that statements carried (they are people's data).
logging_collector = on
log_directory = 'log'
log_filename = 'postgresql-%a.log'
log_truncate_on_rotation = on
log_rotation_age = 1d
log_rotation_size = 0
log_line_prefix = '%m [%p] %q%u@%d '
log_error_verbosity = terse
log_min_duration_statement = 2s
log_parameter_max_length = 0
";

const PG_HBA_CONF: &str = "\
# Written anew by Orgtrail at each start: the kernel says who is calling, pg_ident.conf whom they may be.
local all all peer map=orgtrail
local replication postgres peer map=orgtrail
";

/// Writes `postgresql.conf`, `pg_hba.conf` and `pg_ident.conf`.
pub(super) fn write(
    cluster: &Path,
    socket_dir: &Path,
    max_connections: u16,
    account: &Account,
) -> Result<(), ClusterError> {
    files::replace(&cluster.join("postgresql.conf"), &postgresql_conf(socket_dir, max_connections), account)?;
    files::replace(&cluster.join("pg_hba.conf"), PG_HBA_CONF, account)?;
    files::replace(&cluster.join("pg_ident.conf"), &pg_ident_conf(account), account)
}

/// `socket_dir` holds plain letters only ([`super::socket::choose`]), so nothing needs escaping.
fn postgresql_conf(socket_dir: &Path, max_connections: u16) -> String {
    let ours = [
        format!("unix_socket_directories = '{}'", socket_dir.display()),
        format!("port = {PORT}"),
        format!("max_connections = {max_connections}"),
    ];
    format!("{POSTGRESQL_CONF}\n{}\n", ours.join("\n"))
}

/// The account that runs Postgres, and root, who could become it anyway.
fn pg_ident_conf(account: &Account) -> String {
    let users = [account.name.clone(), root_name()];
    let lines = users.iter().flat_map(|user| Role::ALL.map(|role| format!("orgtrail \"{user}\" {}", role.name())));
    let lines: Vec<String> = lines.collect();
    format!("# Written anew by Orgtrail at each start: map, user of this machine, role.\n{}\n", lines.join("\n"))
}
