//! The program under fire: real changes over HTTP, while it and its Postgres are killed, stopped, and left without room on the disk. What was
//! acknowledged is there once, nothing is half there, and no event speaks of what did not happen. And what a database must be before
//! it is served, what backups bring back and moves take along, and what `orgtrail verify` says of it.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod amount;
mod backups;
mod check;
mod client;
mod doors;
mod full_disk;
mod kills;
mod load;
mod moving;
mod shell;
mod site;
mod start;
mod stopped;
mod verify;
