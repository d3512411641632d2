//! A sender of events for the benchmarks: some connections, each with one request after the other, for some seconds. Nothing but the standard
//! library, so that `rustc -O` compiles it in a moment, and a thread for each connection, which costs the measured machine little.
//!
//! `load ADDRESS TOKEN CONNECTIONS SECONDS EVENTS <template`: a request has so many copies of the event on standard input, in which `@@` stands
//! for a number that no other copy has. Prints the number of acknowledged events and the seconds that it took.

use std::io::{BufRead, BufReader, Error, Read, Result, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, token, connections, seconds, events] = arguments.as_slice() else {
        return Err(Error::other("load ADDRESS TOKEN CONNECTIONS SECONDS EVENTS <template"));
    };
    let number = |text: &String| text.parse::<u64>().map_err(Error::other);
    let (connections, seconds, events) = (number(connections)?, number(seconds)?, number(events)?);
    let mut template = String::new();
    std::io::stdin().read_to_string(&mut template)?;
    let template = template.trim();
    let started = Instant::now();
    let end = started + Duration::from_secs(seconds);
    let sent = thread::scope(|scope| {
        let senders: Vec<_> = (0..connections)
            .map(|sender| scope.spawn(move || send(address, token, template, events, sender << 32, end)))
            .collect();
        senders.into_iter().map(|sender| sender.join().map_err(|_| Error::other("a sender panicked"))?).sum::<Result<u64>>()
    })?;
    println!("{sent} {:.3}", started.elapsed().as_secs_f64());
    Ok(())
}

/// Sends until the end; answers how many events were acknowledged.
fn send(address: &str, token: &str, template: &str, events: u64, first: u64, end: Instant) -> Result<u64> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::with_capacity(64 * 1024, stream.try_clone()?);
    let mut sent = 0;
    while Instant::now() < end {
        let copies: Vec<String> =
            (0..events).map(|copy| template.replace("@@", &(first + sent + copy).to_string())).collect();
        let body = if events == 1 { copies.concat() } else { format!("{{\"events\":[{}]}}", copies.join(",")) };
        let head = format!(
            "POST /api/v1/events HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes())?;
        acknowledged(&mut answers)?;
        sent += events;
    }
    Ok(sent)
}

/// Reads one answer, which has to be 201.
fn acknowledged(answers: &mut impl BufRead) -> Result<()> {
    let (mut line, mut head, mut length) = (String::new(), String::new(), 0);
    while line != "\r\n" {
        line.clear();
        if answers.read_line(&mut line)? == 0 {
            return Err(Error::other("the connection was closed"));
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().map_err(Error::other)?;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body)?;
    if head.starts_with("HTTP/1.1 201") { Ok(()) } else { Err(Error::other(head + &String::from_utf8_lossy(&body))) }
}
