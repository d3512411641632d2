# The commands of Orgtrail. `make run` and `make test` work from nothing: they install what is missing first.

SHELL := /bin/bash

.PHONY: help run build setup site test soak check lint fmt bench

help: ## says what each command does
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /\1\t/' | column -t -s "$$(printf '\t')"

run: build ## builds, starts a Postgres of its own in ./data, fills a demo organization and serves it
	@exec target/release/orgtrail demo

build: site ## builds the release binary, target/release/orgtrail, with the site in it
	@cargo build --release --package orgtrail-server --bin orgtrail

setup: ## installs what this machine lacks to build and run
	@scripts/setup

site: setup ## builds the browser's half into target/site
	@scripts/build-site

test: ## everything, from unit tests to a real browser
	@scripts/test

soak: ## kills, faults and hostile input for half an hour; `scripts/soak MINUTES` for another time
	@scripts/soak

check: ## compiles both halves without building them: the fast question
	@cargo check --workspace --all-targets
	@. scripts/lib.sh && wasm_cargo check --package orgtrail-app --lib --no-default-features --features hydrate \
		--target "$$WASM_TARGET" --profile wasm

lint: ## formatting and clippy, as `make test` has them
	@scripts/lint

fmt: ## formats the Rust
	@cargo fmt --all

bench: build ## the benchmarks, beside `psql \copy` in the same run, and how costs grow with what is stored
	@benches/run
	@benches/run --grow
