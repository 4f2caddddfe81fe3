//! What `--help` prints.

pub const ALL: &str = "\
Everything one does with this workspace, by one command. Each of them first installs what it needs and lacks.

Usage: cargo xtask COMMAND [ARGUMENTS]

  run      set up, build a release, and serve it (http://127.0.0.1:3000, RTMP on 1935)
  demo     the same, with a room into which a moving test picture with sound is published
  test     everything that must pass: checks, native tests, browser tests
  check    the quick part of it: budgets, format, lints
  e2e      the browser tests alone, against the release binary
  build    leave target/release/madang: one file, web assets inside
  bench    measure beside other servers and players; writes docs/PERFORMANCE.md's tables
  setup    install what is missing, and nothing else

cargo xtask COMMAND --help says more about each. For development: cargo xtask setup, then cargo leptos watch.
";

/// The help of one command.
pub fn of(command: &str) -> Option<&'static str> {
    Some(match command {
        "run" => {
            "\
Usage: cargo xtask run [--] [ARGUMENTS OF THE SERVER]

Sets up what is missing (the first time 15 to 25 minutes, most of it compiling cargo-leptos), builds a release, and becomes
the server. It prints the addresses it listens on. Ctrl-C ends it.

  cargo xtask run                                           http://127.0.0.1:3000, RTMP on 0.0.0.0:1935
  cargo xtask run -- --http 0.0.0.0:8080 --data ./data      see `target/release/madang --help` for all of them
"
        }
        "demo" => {
            "\
Usage: cargo xtask demo [--data DIR] [ARGUMENTS OF THE SERVER]

Serves a release build, makes the room `demo` in it, and publishes a moving test picture with a clock and a beep into that
room with ffmpeg, started again whenever it ends. Prints the room's address. Ctrl-C ends all of it.

  --data DIR   where the demo keeps its rooms; target/demo unless told otherwise. The room's stream key stays in
               DIR/demo-stream-key, so that the next demo finds its room again.
"
        }
        "test" => {
            "\
Usage: cargo xtask test

Set-up, `check`, the native tests of every crate (with ffmpeg required), the release build, the browser tests against it, and
OBS where it is installed. Stops at the first step that fails; ends with the minutes of each step and the tests counted.

What it needs beyond a build: ffmpeg, Chromium (or CHROMIUM=/path), a Korean font. As root on Debian it installs them,
and pebble, without which the test of automatic certificates is left out; elsewhere it says what is missing.
"
        }
        "check" => {
            "\
Usage: cargo xtask check

What CI runs first: budgets of the sources (file length, lock files), rustfmt, clippy on the native side and on what becomes
WebAssembly, both with warnings denied, and TypeScript's check of the browser tests if their packages are installed.
"
        }
        "e2e" => {
            "\
Usage: cargo xtask e2e [--as-built] [--] [ARGUMENTS OF PLAYWRIGHT]

Builds a release if the sources changed, and runs the browser tests in end2end/ against it. Pictures and measurements are
left in end2end/artefacts. --as-built tests the binary that is there, whatever the sources say.

  cargo xtask e2e -- rooms.spec.ts           one file
  cargo xtask e2e -- -g 'goes live'          by name
  CHROMIUM=/opt/chrome cargo xtask e2e       another browser
"
        }
        "build" => {
            "\
Usage: cargo xtask build

Leaves target/release/madang: one file that runs from any folder with nothing beside it. Its web assets are inside, with
hashed names, as brotli and gzip. The file is there too when CARGO_TARGET_DIR points elsewhere. Fails when a first visit
would download more than end2end/budget-bytes.
"
        }
        "bench" => {
            "\
Usage: cargo xtask bench [media] [PART…] [--pairs=N] [--quick] [--as-built] [--other=PATH]

Measures this server beside others in the same run, in turn, and writes medians, ratios and plots into docs/. A part that cannot
be measured is told at the end and leaves the others' tables. Wants a machine with nothing else running, and two cores.

  media       the four that follow: 20 minutes

  fan-out     CPU seconds per delivered gigabit with 100 to 3,000 viewers and with flights of 0 to 350 ms, memory of a viewer, time
              to join: madang, node-media-server, and a floor that does nothing but write to sockets
  writes      ways of writing the same bytes to 1,000 sockets, by themselves
  transports  the same over TLS and HTTP/2
  ingest      CPU seconds per gigabit taken from 20 and 100 publishers
  micro       chunks to tags beside rml_rtmp's session, FLV to tags, tags to fragments

  stalled     half of 200 viewers stop reading for ten minutes: memory, and what the others get; 15 minutes
  chat        CPU seconds per million delivered chat messages and their delay in a room of 1,000: madang and socket.io; a
              room of 10 alone and beside one of 8,000; memory of 10,000 who say nothing
  glass       delay from the encoder's input to the screen: our room page, flv.js and mpegts.js, on the same stream
  glass-busy  the same with a loop that spins on each core
  glass-720p  the same at 1280x720
  flights     delay from the encoder's input to the screen at flights of 0 to 350 ms
  join        from opening the room's page to its first frame, with key frames each 1, 2 and 8.3 s
  work        what the page's main thread does for 20 Mbit/s of 4K, and the memory it holds: our room page and mpegts.js
  remux       bytes of FLV a second that are made fragments of in Chromium: our remuxer in WebAssembly and mpegts.js'
  steady      five minutes of watching a file published without encoding: gaps, and how the delay changed
  memory      an hour of 6 Mbit/s: what the room's page and a page with mpegts.js hold; only when named
  hour        an hour of watching over a link with 5 s stalls: delay, rates and memory at its start and its end; only when named

  --pairs=N     how often a side is measured of which something is claimed; 8 unless told otherwise
  --quick       one pair and short windows, nothing written into docs/: to see that it works
  --as-built    measure the binary that is there, whatever the sources say
  --other=PATH  another server to measure beside, set up by benches/other.conf
"
        }
        "setup" => {
            "\
Usage: cargo xtask setup [--build]

Installs what is missing for every command, or with --build for building alone:

  wasm32-unknown-unknown, clippy, rustfmt    by rustup, if the toolchain lacks them
  wasm-opt                                   the npm package binaryen, into xtask/npm
  wasm-bindgen                               compiled, exactly the version in Cargo.lock
  cargo-leptos                               compiled; 15 to 20 minutes on two cores, once on this machine
  cargo-deny                                 compiled; 2 to 4 minutes on two cores, once on this machine
  Playwright and other players               npm packages, into end2end
  ffmpeg, Chromium, a Korean font            by apt-get, as root on Debian; elsewhere it says what is missing
  pebble                                     by apt-get, as root on Debian; one test is left out without it

Compiled tools are kept in $XDG_CACHE_HOME/madang/tools (~/.cache without it) for every clone on this machine, and linked
into cargo's own bin folder if nothing of that name is there, so that `cargo leptos watch` works by hand.
Needed beforehand: rustup, a C compiler, make, perl, Node 20 or newer with npm.
"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_command_in_the_list_has_its_own_help() {
        let commands = super::ALL.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
        let commands: Vec<_> = commands.collect();
        assert_eq!(commands.len(), 8);
        assert!(commands.iter().all(|command| super::of(command).is_some()), "{commands:?}");
    }
}
