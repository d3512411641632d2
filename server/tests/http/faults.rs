//! What breaks around the server, one thing at a time, and what becomes of whoever asks: a clear “later”, nothing half done, and afterwards all is
//! as before. What is killed is in `tests/crash/`.

mod database;
mod first_byte;
mod left;
mod lost;
mod ready;
mod refused;
mod wire;
