//! More than one machine: servers, a primary and its streaming replica, a load balancer, all of them real; and what becomes of requests when
//! one of them is gone.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

#[path = "../crash/amount.rs"]
mod amount;
mod asking;
mod balancer;
mod balancing;
mod broken;
mod client;
mod failover;
mod machines;
mod replica;
mod rolling;
mod standby;
mod through;
