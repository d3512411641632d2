# shellcheck shell=bash
# What the other scripts share: words to the user, where the tools are, and which Rust compiles for the browser.
# Sourced, never run. Everything here is quick; only `setup` installs.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TOOLS=${XDG_CACHE_HOME:-$HOME/.cache}/orgtrail
WASM_TARGET=wasm32-unknown-unknown

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }
have() { type -P "$1" >/dev/null; }

# wasm-bindgen's program must be of exactly the version that the code was linked with.
wasm_bindgen_version() {
  awk -F'"' '/^name = "wasm-bindgen"$/ { getline; print $2 }' "$ROOT/Cargo.lock"
}

wasm_bindgen() { printf '%s/wasm-bindgen-%s/bin/wasm-bindgen' "$TOOLS" "$(wasm_bindgen_version)"; }

wasm_bindgen_works() {
  [ "$("$(wasm_bindgen)" --version 2>/dev/null)" = "wasm-bindgen $(wasm_bindgen_version)" ]
}

# The tool that cuts the WebAssembly; it understands what the code was compiled with if it is not older than that.
WASM_SPLIT_VERSION=0.2.4

wasm_split() { printf '%s/wasm-split-%s/bin/wasm-split-cli' "$TOOLS" "$WASM_SPLIT_VERSION"; }

wasm_split_works() { "$(wasm_split)" --help >/dev/null 2>&1; }

CARGO_FUZZ_VERSION=0.13.2

cargo_fuzz() { printf '%s/cargo-fuzz-%s/bin/cargo-fuzz' "$TOOLS" "$CARGO_FUZZ_VERSION"; }

cargo_fuzz_works() { "$(cargo_fuzz)" --version >/dev/null 2>&1; }

# npm's tools, one folder for each state of the lock file.
node_tools() {
  printf '%s/node-%s' "$TOOLS" "$(sha256sum "$ROOT/scripts/package-lock.json" | cut -c1-16)"
}

wasm_opt() { printf '%s/node_modules/.bin/wasm-opt' "$(node_tools)"; }

# A folder of ours in the cache is used only while every file in it is what it was when it was made.
seal() { (cd "$1" && find . -type f ! -name SHA256SUMS -print0 | sort -z | xargs -0 sha256sum >SHA256SUMS); }
sealed() { [ -f "$1/SHA256SUMS" ] && (cd "$1" && sha256sum --check --status SHA256SUMS); }

# --- Which Rust compiles for the browser -----------------------------------------------------------------------
# Either the caller's own, where it has the target (rustup), or Debian's `rustc-web` with a standard library that
# `setup` compiled from Debian's sources into the cache. The latter is for machines that reach Debian's packages but
# not Rust's own downloads. It is handed to rustc as a second sysroot: nothing under /usr is written.

own_rust_has_target() {
  have rustc && compgen -G "$(rustc --print sysroot)/lib/rustlib/$WASM_TARGET/lib/libstd-*.rlib" >/dev/null
}

debian_rust_installed() {
  [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] && [ -x /usr/bin/rust-lld ] &&
    [ -d /usr/lib/rustlib/src/rust/library/std ]
}

debian_sysroot() {
  printf '%s/sysroot-%s' "$TOOLS" "$(/usr/bin/rustc --verbose --version | sha256sum | cut -c1-16)"
}

# Runs cargo for the browser's half with whichever of the two is there.
wasm_cargo() {
  if own_rust_has_target; then
    cargo "$@"
  else
    env RUSTC=/usr/bin/rustc CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="--cfg erase_components --sysroot=$(debian_sysroot)" \
      /usr/bin/cargo "$@"
  fi
}

# --- Programs of the machine -----------------------------------------------------------------------------------

# The newest PostgreSQL's folder of binaries, if it is at least 15.
postgres_bin() {
  local dir
  for dir in $(compgen -G '/usr/lib/postgresql/*/bin' | sort -t/ -k5,5 -rn) "$(pg_config --bindir 2>/dev/null)"; do
    if [ -x "$dir/initdb" ] && [ "$("$dir/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')" -ge 15 ]; then
      printf '%s' "$dir"
      return
    fi
  done
  return 1
}

# Postgres does not run as root.
unprivileged() {
  if [ "$(id -u)" = 0 ]; then runuser --user postgres -- "$@"; else "$@"; fi
}

# Starts a Postgres for as long as a script runs, with its files and its socket in the folder $1, which is made. Prints its folder of binaries.
start_postgres() {
  local bin
  bin=$(postgres_bin) || die "PostgreSQL's programs are missing: run scripts/setup"
  mkdir "$1"
  chmod 711 "${1%/*}"
  [ "$(id -u)" != 0 ] || chown postgres "$1"
  unprivileged "$bin/initdb" --pgdata "$1/data" --username postgres --auth trust --no-sync >/dev/null
  unprivileged "$bin/pg_ctl" --pgdata "$1/data" --silent --wait --log "$1/log" \
    --options "-c listen_addresses='' -c unix_socket_directories='$1' -c fsync=off" start >/dev/null
  printf '%s' "$bin"
}

stop_postgres() { unprivileged "$2/pg_ctl" --pgdata "$1/data" --silent --mode immediate stop; }

# Runs the migrations with psql on the empty database $1.
migrate_with_psql() {
  local migration
  for migration in "$ROOT"/migrations/*.sql; do
    psql --quiet --single-transaction --output=/dev/null -v ON_ERROR_STOP=1 "$1" -f "$migration"
  done
}

# The browser of the end-to-end tests: CHROMIUM, or the first one on PATH.
chromium() {
  local name
  for name in "${CHROMIUM:-chromium}" chromium-browser google-chrome; do
    type -P "$name" && return
  done
  return 1
}

# Clippy is a compiler with more complaints. In the compiler's place it lints and compiles in one go, where `cargo clippy`
# compiles every dependency once more for itself; this is how `cargo clippy --deny warnings` calls it.
linted() {
  if cargo clippy --version >/dev/null 2>&1; then
    RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS='--deny__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__' "$@"
  else
    say 'skipped: this Rust has no cargo clippy'
    "$@"
  fi
}
